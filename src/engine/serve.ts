import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText, TurnwiseError } from '../core/error.ts';
import { answerChat } from './chat-route.ts';
import { answerCompletion } from './completion-route.ts';
import { openEngine, type EngineOptions } from './engine.ts';
import { createJsonServer, type Routes } from './http.ts';
import { listModels, tellHealth } from './model-route.ts';
import { answerScore } from './score-route.ts';
import { answerDetokenize, answerTokenize } from './token-routes.ts';

export interface ServeOptions extends EngineOptions {
  /** 0: any free one. */
  readonly port: number;
}

/** A serving engine; the line that it prints when it is ready. */
export interface Serving {
  readonly url: string;
  /** Readable by its owner alone. */
  readonly tokenFile: string;
  readonly modelSha: string;
  close(): Promise<void>;
}

/** Loads the model and serves it on loopback, behind a token of this start. Throws `environment`/`port_unavailable`. */
export async function serve({ port, ...options }: ServeOptions): Promise<Serving> {
  const engine = await openEngine(options);
  const token = randomBytes(32).toString('hex');
  const routes: Routes = {
    'GET /health': () => tellHealth(engine),
    'GET /v1/models': () => listModels(engine),
    'POST /v1/chat/completions': (exchange) => answerChat(engine, exchange),
    'POST /v1/completions': (exchange) => answerCompletion(engine, exchange),
    'POST /tokenize': (exchange) => answerTokenize(engine, exchange),
    'POST /detokenize': (exchange) => answerDetokenize(engine, exchange),
    'POST /score': (exchange) => answerScore(engine, exchange),
  };
  const server = createJsonServer(token, routes);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new TurnwiseError(
          'environment',
          'port_unavailable',
          `Cannot listen on port ${port} (${errorText(cause)}); leave --port out to get a free one.`,
          { cause },
        ),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  // mkdtemp makes the folder 0700, so that nobody can look in between creation and chmod.
  const folder = await mkdtemp(join(tmpdir(), 'turnwise-engine-'));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokenFile,
    modelSha: engine.sha,
    async close() {
      await rm(folder, { recursive: true, force: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await engine.dispose();
    },
  };
}
