import * as vscode from 'vscode';
import type { ChatBackend, Backend } from './core/backend.ts';
import { errorText } from './core/error.ts';
import { createApi, type TurnwiseApi } from './host/api.ts';
import type { COMMANDS } from './host/commands.ts';
import type { TreeNode } from './host/episodes-tree.ts';
import type { Host } from './host/host.ts';
import { createLog } from './host/redacting-log.ts';
import type { Connectors } from './host/servers.ts';

/**
 * Registers what the editor may call, and opens the product when it first does: until a view is shown or a command is run,
 * neither the store nor a server is touched. A part that fails says so where it was called; the others stay.
 */
export function activate(context: vscode.ExtensionContext): TurnwiseApi {
  const log = createLog();
  const drawn = new vscode.EventEmitter<TreeNode | undefined>();
  let opening: Promise<Host> | null = null;
  const product = (): Promise<Host> => (opening ??= open(context, log, drawn));

  context.subscriptions.push(log, drawn);
  context.subscriptions.push(
    vscode.window.registerWebviewViewProvider('turnwise.chat', {
      resolveWebviewView: async (view) => {
        try {
          const host = await product();
          host.chat.resolve(view);
          // The first answer should not wait for a model to load.
          void host.servers.chat().catch(() => undefined);
          void host.servers.lookAtScorer();
        } catch (thrown) {
          view.webview.html = failurePage(errorText(thrown));
        }
      },
    }),
  );

  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer('turnwise.review', {
      deserializeWebviewPanel: async (panel, state) => {
        try {
          (await product()).reviews.restore(panel, state);
        } catch (thrown) {
          panel.webview.html = failurePage(errorText(thrown));
        }
      },
    }),
  );

  const tree = async (): Promise<Host['tree'] | null> => {
    try {
      return (await product()).tree;
    } catch {
      return null;
    }
  };
  const episodes = vscode.window.createTreeView<TreeNode>('turnwise.episodes', {
    showCollapseAll: true,
    treeDataProvider: {
      onDidChangeTreeData: drawn.event,
      getChildren: async (node) => {
        const shown = await tree();
        shown?.view.attach(episodes);
        return shown?.getChildren(node) ?? [];
      },
      getTreeItem: async (node) => (await product()).tree.getTreeItem(node),
    },
  });
  context.subscriptions.push(episodes);

  for (const id of commandsOf(context.extension)) {
    const run = async (argument: unknown): Promise<void> => {
      try {
        if (id === 'turnwise.showLog') log.show();
        else await (await import('./host/commands.ts')).COMMANDS[id](await product(), argument);
      } catch (thrown) {
        log.error(`${id}: ${errorText(thrown)}`);
        void vscode.window.showErrorMessage(errorText(thrown));
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(id, run));
  }
  return createApi(product);
}

/** The commands that the manifest promises, which are those of the table: a test holds them together. */
function commandsOf({ packageJSON }: vscode.Extension<unknown>): (keyof typeof COMMANDS)[] {
  const manifest = packageJSON as { contributes: { commands: { command: keyof typeof COMMANDS }[] } };
  return manifest.contributes.commands.map(({ command }) => command);
}

/** Loads the rest of the extension and opens it; what views offer depends on whether that works. */
async function open(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  drawn: vscode.EventEmitter<TreeNode | undefined>,
): Promise<Host> {
  const tell = (key: string): Thenable<unknown> => vscode.commands.executeCommand('setContext', key, true);
  try {
    const { openProduct } = await import('./host/product.ts');
    const host = await openProduct(context, log, connectorsOf(context));
    context.subscriptions.push(
      host.tree.onDidChangeTreeData((node) => {
        drawn.fire(node);
      }),
    );
    await tell('turnwise.ready');
    return host;
  } catch (thrown) {
    log.error(errorText(thrown));
    await tell('turnwise.failed');
    throw thrown;
  }
}

/** Wires to model servers, loaded when one is first used. */
function connectorsOf(context: vscode.ExtensionContext): Connectors {
  return {
    openChat: async (server): Promise<ChatBackend> => (await import('./backends/chat.ts')).openChat(server),
    detect: async (server, signal) => (await import('./backends/detect-server.ts')).detectServer(server, signal),
    whyNoEcho: async (server, signal) => (await import('./backends/detect-server.ts')).whyNoEcho(server, signal),
    openEngineScorer: async (engine): Promise<Backend> =>
      (await import('./backends/engine.ts')).openEngineBackend(engine),
    openScorer: async ({ kind, url, model, apiKey, tokenizer, agree }): Promise<Backend> => {
      const { openServers } = await import('./backends/open.ts');
      const { HUGGING_FACE, isFetched, isTokenizerReference } = await import('./backends/fetch-tokenizer.ts');
      const cache = vscode.Uri.joinPath(context.globalStorageUri, 'tokenizers').fsPath;
      if (tokenizer !== null && isTokenizerReference(tokenizer) && !isFetched(tokenizer, cache)) {
        await agree({ reference: tokenizer, from: process.env['HF_ENDPOINT'] ?? HUGGING_FACE });
      }
      const refuse = (): never => {
        throw new Error('A server that is given by its address is not started.');
      };
      const servers = openServers(refuse, { ...process.env, TURNWISE_KEY: apiKey ?? '' }, cache);
      return servers.openScorer({
        ...{ backend: kind, url, model, tokenizer: tokenizer ?? undefined },
        apiKeyEnv: apiKey === null ? undefined : 'TURNWISE_KEY',
      });
    },
  };
}

/** What stands in the chat's place when the product could not be opened. */
function failurePage(message: string): string {
  const text = message.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'" /><title>Turnwise</title></head>
<body><h3>${vscode.l10n.t('Turnwise could not start')}</h3><p role="alert">${text}</p></body></html>`;
}
