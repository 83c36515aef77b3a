/** Frames: headers of every version, spelled out byte by byte from the protocol's description. */
import { describe, expect, it } from 'vitest'
import { apiVersions } from '../../src/protocol/api/api-versions.js'
import { heartbeat } from '../../src/protocol/api/heartbeat.js'
import { produce } from '../../src/protocol/api/produce.js'
import {
  decodeCorrelationId,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseBody,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/frame.js'
import { Reader } from '../../src/protocol/reader.js'
import { fromHex, toHex } from '../support/protocol-fixture.js'

const beat = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }

// size, api key 12, version, correlation id 7, client id 'c' behind an int16 length
const requestV3 = '00000017 000c 0003 00000007 000163  000167 00000001 00016d ffff'
// as before, no tags in the header; compact strings, null, no tags in the body
const requestV4 = '00000016 000c 0004 00000007 000163 00  0267 00000001 026d 00 00'
const hex = (text: string): string => text.replaceAll(' ', '')

describe('requests', () => {
  it.each([
    [3, requestV3],
    [4, requestV4],
  ])('heartbeat v%i', (version, expected) => {
    const pieces = encodeRequest(heartbeat, version, beat, { correlationId: 7, clientId: 'c' })
    expect(toHex(pieces)).toBe(hex(expected))
    const reader = new Reader(fromHex(hex(expected)), 4)
    expect(decodeRequestHeader(reader)).toEqual({
      apiKey: 12,
      apiVersion: version,
      correlationId: 7,
      clientId: 'c',
    })
    expect(decodeRequestBody(heartbeat, version, reader)).toEqual(beat)
    expect(reader.remaining).toBe(0)
  })

  it('may have no client id', () => {
    const pieces = encodeRequest(heartbeat, 4, beat, { correlationId: -1, clientId: null })
    expect(decodeRequestHeader(new Reader(fromHex(toHex(pieces)), 4))).toMatchObject({
      correlationId: -1,
      clientId: null,
    })
  })

  it('passes over tagged fields of the header', () => {
    const reader = new Reader(fromHex(hex('01 05 02 aaaa  0267 00000001 026d 00 00')))
    expect(decodeRequestBody(heartbeat, 4, reader)).toEqual(beat)
  })

  it('refuses more tagged fields than there are bytes', () => {
    expect(() => decodeRequestBody(heartbeat, 4, new Reader(fromHex('ffffffff0f')))).toThrow(
      expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
    )
  })

  it('hands record bytes through as they are', () => {
    const first = Uint8Array.of(1, 2, 3)
    const second = Uint8Array.of(4, 5)
    const request = {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1,
      topicData: [
        {
          name: 't',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          partitionData: [{ index: 0, records: [first, second] }],
        },
      ],
    }
    const pieces = encodeRequest(produce, 9, request, { correlationId: 1, clientId: null })
    expect(pieces[1]).toBe(first)
    expect(pieces[2]).toBe(second)
    expect(pieces).toHaveLength(4)
    const frame = fromHex(toHex(pieces))
    expect(new DataView(frame.buffer).getInt32(0)).toBe(frame.length - 4)
    const reader = new Reader(frame, 4)
    decodeRequestHeader(reader)
    const [records] = decodeRequestBody(produce, 9, reader).topicData[0]?.partitionData[0]?.records ?? []
    expect(records?.buffer).toBe(frame.buffer)
    expect(records && toHex([records])).toBe('0102030405')
  })
})

describe('responses', () => {
  it.each([
    [3, '0000000a 00000007  00000000 001b'],
    [4, '0000000c 00000007 00  00000000 001b 00'],
  ])('heartbeat v%i', (version, expected) => {
    const response = { throttleTimeMs: 0, errorCode: 27 }
    expect(toHex(encodeResponse(heartbeat, version, 7, response))).toBe(hex(expected))
    const reader = new Reader(fromHex(hex(expected)), 4)
    expect(decodeCorrelationId(reader)).toBe(7)
    expect(decodeResponseBody(heartbeat, version, reader)).toEqual(response)
  })

  it.each([
    [2, '00000014 00000007  0000 00000001 0012 0000 0004 00000000'],
    [3, '00000013 00000007  0000 02 0012 0000 0004 00 00000000 00'],
  ])('apiVersions v%i has header version 0', (version, expected) => {
    const response = {
      errorCode: 0,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
      throttleTimeMs: 0,
    }
    expect(toHex(encodeResponse(apiVersions, version, 7, response))).toBe(hex(expected))
    const reader = new Reader(fromHex(hex(expected)), 8)
    expect(decodeResponseBody(apiVersions, version, reader)).toEqual(response)
  })
})
