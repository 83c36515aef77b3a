/** What the example uses of better-sqlite3; the package need not be installed for it to compile. */
declare module 'better-sqlite3' {
  interface Statement {
    run(...values: unknown[]): { readonly changes: number }
    get(...values: unknown[]): unknown
  }

  export default class Database {
    constructor(path: string)
    pragma(text: string): unknown
    exec(text: string): unknown
    prepare(text: string): Statement
    transaction<T>(work: (value: T) => void): (value: T) => void
    close(): void
  }
}
