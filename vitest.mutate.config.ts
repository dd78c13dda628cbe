import { defineConfig } from 'vitest/config'

/** The tests that `npm run mutate` asks: fast, in this process, without a build. */
export default defineConfig({
  test: {
    include: [
      'test/unit/plan/*.test.ts',
      'test/unit/inputs.test.ts',
      'test/unit/redaction.test.ts',
      'test/unit/operations/deletes.test.ts',
    ],
    testTimeout: 20_000,
  },
})
