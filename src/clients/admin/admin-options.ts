/** What the admin client's calls take. */

/** What every call takes. */
export interface AdminOptions {
  /** Gives up waiting; the broker may still carry the request out. */
  readonly signal?: AbortSignal | undefined
}

/** What a change takes besides. */
export interface ChangeOptions extends AdminOptions {
  /** Only check whether it could be done; default false. */
  readonly validateOnly?: boolean
}
