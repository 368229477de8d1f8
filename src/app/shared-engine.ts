import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';
import { sha256Text } from '../core/sha.ts';
import { VERSION } from '../core/version.ts';
import { awaitServing, bundledModel, engineEntry, START_TIMEOUT_MS } from './engine-process.ts';
import { endStaleEngine } from './stale-engine.ts';

/** Where a local engine answers, and the token it wants. */
export interface EngineAddress {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const addressSchema = z.object({ url: z.url(), token: z.string().min(1), pid: z.int().positive() });

/** Between two looks at what another window is starting, ms. */
const POLL_MS = 100;
/** An engine on this machine that does not say that it is well within this time, ms, is taken for gone. */
const HEALTH_MS = 3_000;

/**
 * The local engine of a user and a model, shared by all windows: whoever needs it first starts it, the address stands in a
 * file beside the store that only this user may read, and every window holds a lease, a file named by its process. The
 * engine ends itself when no lease is left whose process lives.
 */
export class SharedEngine {
  readonly #folder: string;
  readonly #modelPath: string;
  readonly #entry: string;
  #known: EngineAddress | null = null;
  #connecting: Promise<EngineAddress> | null = null;

  /** `home` is the folder that engines are kept in; `modelPath` empty: the bundled toy. `entry` is the engine's program. */
  constructor(home: string, modelPath: string, entry: string = engineEntry()) {
    this.#entry = entry;
    this.#modelPath = modelPath === '' ? bundledModel() : modelPath;
    // Another version may speak otherwise, so it gets an engine of its own.
    this.#folder = join(home, sha256Text(`${VERSION}\n${this.#modelPath}`).slice(0, 16));
  }

  /** An engine that answers; starts one where none does. Throws what `startEngine` throws. */
  async connect(): Promise<EngineAddress> {
    this.#connecting ??= this.#find().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /** Ends the engine for every window; the next `connect` starts a new one. */
  async restart(): Promise<void> {
    const running = await this.#read();
    if (running !== null) await endStaleEngine(running.pid, this.#leases());
    await rm(join(this.#folder, 'engine.json'), { force: true });
    this.#known = null;
  }

  /** Gives the lease back; may run while the process ends. */
  dispose(): void {
    rmSync(this.#lease(), { force: true });
  }

  async #find(): Promise<EngineAddress> {
    if (this.#known !== null && (await isHealthy(this.#known))) return this.#known;
    this.#known = null;
    this.#takeLease();
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const written = await this.#read();
      if (written !== null && (await isHealthy(written))) {
        this.#known = written;
        return written;
      }
      if (await this.#mayStart()) {
        try {
          // It holds a model's memory, and answers nobody.
          if (written !== null) await endStaleEngine(written.pid, this.#leases());
          this.#known = await this.#start();
          return this.#known;
        } finally {
          await rm(this.#starting(), { force: true });
        }
      }
      await sleep(POLL_MS);
    }
    throw new TurnwiseError(
      'environment',
      'engine_timeout',
      'Another window has been starting the local engine for too long; restart it with "Turnwise: Restart Local Engine".',
    );
  }

  async #start(): Promise<EngineAddress> {
    // stderr goes to a file: the engine outlives this window, and a pipe without a reader would end it.
    const log = openSync(join(this.#folder, 'engine.log'), 'w', 0o600);
    const child = spawn(process.execPath, [this.#entry, '--model', this.#modelPath, '--leases', this.#leases()], {
      detached: true,
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
    closeSync(log);
    try {
      const { url, token_file, pid } = await awaitServing(child, undefined, START_TIMEOUT_MS);
      const address = { url, pid, token: (await readFile(token_file, 'utf8')).trim() };
      const draft = join(this.#folder, `engine.${process.pid}.json`);
      await writeFile(draft, JSON.stringify(address), { mode: 0o600 });
      await rename(draft, join(this.#folder, 'engine.json'));
      return address;
    } catch (thrown) {
      child.kill();
      throw thrown;
    } finally {
      child.stdout?.destroy();
      child.unref();
    }
  }

  /** Takes the right to start; a starter that died leaves it to the next. */
  async #mayStart(): Promise<boolean> {
    try {
      writeFileSync(this.#starting(), String(process.pid), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST'))
        throw cannotWrite(this.#folder, thrown);
    }
    const starter = Number(await readFile(this.#starting(), 'utf8').catch(() => ''));
    if (starter > 0 && isAlive(starter)) return false;
    await rm(this.#starting(), { force: true });
    return false;
  }

  #takeLease(): void {
    try {
      mkdirSync(this.#leases(), { recursive: true, mode: 0o700 });
      chmodSync(this.#folder, 0o700);
      writeFileSync(this.#lease(), '', { mode: 0o600 });
    } catch (thrown) {
      throw cannotWrite(this.#folder, thrown);
    }
  }

  async #read(): Promise<EngineAddress | null> {
    try {
      const parsed = addressSchema.safeParse(JSON.parse(await readFile(join(this.#folder, 'engine.json'), 'utf8')));
      return parsed.success ? parsed.data : null;
    } catch {
      // Not there, or half a file of a crash: either way no address.
      return null;
    }
  }

  #leases(): string {
    return join(this.#folder, 'leases');
  }

  #lease(): string {
    return join(this.#leases(), String(process.pid));
  }

  #starting(): string {
    return join(this.#folder, 'starting');
  }
}

async function isHealthy({ url, token }: EngineAddress): Promise<boolean> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/health`, { headers, signal: AbortSignal.timeout(HEALTH_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

function cannotWrite(folder: string, cause: unknown): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'engine_folder',
    `The local engine needs to write into ${folder} and cannot; check its permissions and the free space.`,
    { cause },
  );
}
