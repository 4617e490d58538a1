const project = (name, folders, more = {}) => ({
  displayName: name,
  testEnvironment: "<rootDir>/test/runner/forgetting-environment.js",
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tsconfig.json", diagnostics: false }] },
  setupFiles: ["reflect-metadata"],
  ...more,
})

const servers = {
  globalSetup: "<rootDir>/test/servers/global-setup.ts",
  globalTeardown: "<rootDir>/test/servers/global-teardown.ts",
}

/** `unit` needs nothing but Node; `integration` starts its own Postgres, Redis and syslog servers; `faults` kills them, and programs, on purpose. */
module.exports = {
  projects: [
    { ...project("unit", ["unit"]), testMatch: ["<rootDir>/test/unit/**/*.test.ts", "<rootDir>/test/*.test.ts"] },
    project("integration", ["integration"], servers),
    project("faults", ["faults"], servers),
  ],
  testTimeout: 60_000,
  testSequencer: "<rootDir>/test/runner/slowest-first.js",
  // On two cores, too: much of a test is waiting. Each has servers of its own.
  maxWorkers: 2,
}
