#!/usr/bin/env node
/** `ottla`: the command. */
import { systemClock } from '../runtime/clock.js'
import { nodeFiles } from '../runtime/node/node-files.js'
import { nodeProgram } from '../runtime/node/node-program.js'
import { runCommand } from './command.js'

void runCommand({ program: nodeProgram, files: nodeFiles, clock: systemClock })
