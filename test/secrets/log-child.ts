import { createInterface } from 'node:readline';
import { tell } from '../../src/cli/output.ts';
import { logLine } from '../../src/engine/log.ts';

// Each line of stdin is a JSON string that the command line tells and the engine logs.
for await (const line of createInterface({ input: process.stdin })) {
  const said: unknown = JSON.parse(line);
  if (typeof said !== 'string') continue;
  tell(said);
  logLine(said);
}
