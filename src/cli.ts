import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { startEngine } from './app/engine-process.ts';
import { openServers } from './backends/open.ts';
import { registerBackup } from './cli/backup.ts';
import { registerCheck } from './cli/check.ts';
import { exitCodeOf, reportError, type Register, type Servers } from './cli/command.ts';
import { registerCompare } from './cli/compare.ts';
import { registerCredit } from './cli/credit.ts';
import { registerDemo } from './cli/demo.ts';
import { registerDoctor } from './cli/doctor.ts';
import { registerExport } from './cli/export.ts';
import { registerImport } from './cli/import.ts';
import { registerPurge } from './cli/purge.ts';
import { registerQueue } from './cli/queue.ts';
import { refuseKeys } from './cli/refuse-keys.ts';
import { registerRestore } from './cli/restore.ts';
import { registerSalvage } from './cli/salvage.ts';
import { registerSchema } from './cli/schema.ts';
import { registerScore } from './cli/score.ts';
import { registerServe } from './cli/serve.ts';
import { registerVerify } from './cli/verify.ts';
import { registerReport } from './cli/report.ts';
import { registerYardstick } from './cli/yardstick.ts';
import { VERSION } from './core/version.ts';

const commands: readonly Register[] = [
  registerDemo,
  registerScore,
  registerQueue,
  registerCompare,
  registerCredit,
  registerImport,
  registerExport,
  registerVerify,
  registerYardstick,
  registerReport,
  registerDoctor,
  registerBackup,
  registerRestore,
  registerCheck,
  registerSalvage,
  registerPurge,
  registerServe,
  registerSchema,
];

/** Where fetched tokenizers are kept, as this system has it. */
function tokenizerCache({ env, platform } = process): string {
  const local = platform === 'win32' ? env['LOCALAPPDATA'] : env['XDG_CACHE_HOME'];
  return join(local ?? join(homedir(), '.cache'), 'turnwise', 'tokenizers');
}

/** The command line: exit 0 ok, 1 failed, 2 bad usage. */
async function main(argv: readonly string[], servers: Servers): Promise<number> {
  const program = new Command('turnwise')
    .description('What was each answer worth? Clarifying dialogues, scored and credited turn by turn.')
    .version(VERSION)
    .showHelpAfterError('(--help shows what can be said)');
  for (const register of commands) register(program, servers);
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    refuseKeys(argv.slice(2));
    await program.parseAsync(argv);
    return 0;
  } catch (thrown) {
    // Commander has printed its own words by now; help and version end with exit code 0.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    reportError(thrown);
    return exitCodeOf(thrown);
  }
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
process.exitCode = await main(process.argv, openServers(startEngine, process.env, tokenizerCache()));
