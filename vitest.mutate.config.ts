import { defineConfig } from 'vitest/config'

/** For `npm run mutate`: thousands of runs, each in a moment. Nothing that these tests share is changed by them. */
export default defineConfig({
  test: { include: ['test/unit/**/*.test.ts'], testTimeout: 20_000, isolate: false },
})
