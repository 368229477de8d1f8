import { existsSync } from 'node:fs';
import { patiently } from '../../src/app/patiently.ts';
import { openJournal } from '../../src/store/journal.ts';
import { started } from '../core/event-arbitrary.ts';

// Started by upgrade.test.ts, several at once: opens a store, which may not exist yet, when it is told to, and writes to it.
const [, , path = '', name = ''] = process.argv;
process.stdout.write('ready\n');
while (!existsSync(`${path}.go`)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
const journal = openJournal(path);
await patiently(() => journal.append(name, [started]));
journal.close();
