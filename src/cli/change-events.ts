#!/usr/bin/env node
import { processOutput } from "./output"
import { run } from "./run"

// Exits by itself: what the application's file opened, such as a broker's connection, must not keep this waiting.
void run(process.argv.slice(2), processOutput()).then((code) => process.exit(code))
