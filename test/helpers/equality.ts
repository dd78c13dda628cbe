/** Bytes are compared as bytes: the matchers take each one for a property, which made half of the time of some tests. */
import { expect } from 'vitest'

expect.addEqualityTesters([
  (one, other) =>
    one instanceof Uint8Array && other instanceof Uint8Array && one.constructor === other.constructor
      ? Buffer.compare(one, other) === 0
      : undefined,
])
