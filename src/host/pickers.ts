import * as vscode from 'vscode';
import { consentScopeSchema, type ConsentScope } from '../core/event.ts';
import { ENGINE_PROFILE, isLoopback, serverProfileSchema, type ServerProfile } from '../core/settings.ts';
import type { Host } from './host.ts';

/** Chooses the server that chats. */
export async function chooseChatServer(host: Host): Promise<void> {
  const name = await pickServer(host, vscode.l10n.t('Which server should chat?'), host.settings.current['chat.server']);
  if (name === null) return;
  const server = host.settings.current.servers.find((candidate) => candidate.name === name);
  if (server && !isLoopback(server.url) && !(await mayLeave(server))) return;
  await write('chat.server', name);
}

/** Chooses the server that scores. */
export async function chooseScorer(host: Host): Promise<void> {
  const name = await pickServer(
    host,
    vscode.l10n.t('Which server should score?'),
    host.settings.current['scoring.server'],
  );
  if (name !== null) await write('scoring.server', name);
}

/** Describes a server, asks for its key, and keeps both where they belong. */
export async function addServer(host: Host): Promise<void> {
  await askForServer(host);
}

/** Asks for the key of a server; an empty answer takes the old one away. */
export async function setServerKey(host: Host): Promise<void> {
  const names = host.settings.current.servers.map(({ name }) => name);
  if (names.length === 0) {
    await addServer(host);
    return;
  }
  const name = await vscode.window.showQuickPick(names, { title: vscode.l10n.t('Key of which server?') });
  if (name !== undefined) await askForKey(host, name);
}

/** Chooses who may have the open conversation. */
export async function chooseConsent(host: Host): Promise<void> {
  const { episode } = host.session;
  if (episode === null) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('No conversation is open yet; a new one stays on this machine until you say otherwise.'),
    );
    return;
  }
  const meanings: Record<ConsentScope, string> = {
    'local-only': vscode.l10n.t('Stays on this machine: in no export, and never scored by another machine'),
    exportable: vscode.l10n.t('May be part of a dataset that you export'),
    excluded: vscode.l10n.t('In no dataset, ever, and not scored elsewhere'),
  };
  const items = consentScopeSchema.options.map((scope) => ({ label: scope, detail: meanings[scope] }));
  const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Who may have this conversation?') });
  if (chosen) await host.session.setConsent(episode, chosen.label);
}

export async function openSettings(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettings', '@ext:turnwise.turnwise');
}

/** The name of a profile; null: none was chosen. */
async function pickServer(host: Host, title: string, current: string): Promise<string | null> {
  const add = { label: `$(add) ${vscode.l10n.t('Add a server…')}`, name: null };
  const items = [
    { label: vscode.l10n.t('Local engine'), description: vscode.l10n.t('on this machine'), name: ENGINE_PROFILE },
    ...host.settings.current.servers.map(({ name, model, url }) => ({
      label: name,
      description: vscode.l10n.t('{model} at {url}', { model, url }),
      name,
    })),
  ].map((item) => ({ ...item, label: item.name === current ? `$(check) ${item.label}` : item.label }));
  const chosen = await vscode.window.showQuickPick([...items, add], { title, matchOnDescription: true });
  if (chosen === undefined) return null;
  return chosen.name ?? askForServer(host);
}

/** The name of the server that was described; null: the developer thought better of it. */
async function askForServer(host: Host): Promise<string | null> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('This workspace is not trusted, so servers cannot be added here; trust it first.'),
    );
    return null;
  }
  const taken = new Set(host.settings.current.servers.map(({ name }) => name));
  const field = serverProfileSchema.shape;
  const name = await ask(vscode.l10n.t('Name of the server'), 'gpu-box', (text) =>
    taken.has(text) ? vscode.l10n.t('There is one of this name.') : problemOf(field.name.safeParse(text)),
  );
  if (name === undefined) return null;
  const url = await ask(vscode.l10n.t('URL of {name}, with /v1', { name }), 'http://127.0.0.1:8000/v1', (text) =>
    problemOf(field.url.safeParse(text)),
  );
  if (url === undefined) return null;
  const model = await ask(vscode.l10n.t('Model, as the server calls it'), 'Qwen/Qwen3-8B', (text) =>
    problemOf(field.model.safeParse(text)),
  );
  if (model === undefined) return null;
  const servers = vscode.workspace.getConfiguration('turnwise').get<unknown[]>('servers') ?? [];
  await write('servers', [...servers, { name, url, model }]);
  await askForKey(host, name);
  return name;
}

async function askForKey(host: Host, name: string): Promise<void> {
  const key = await vscode.window.showInputBox({
    title: vscode.l10n.t('Key of {name}', { name }),
    prompt: vscode.l10n.t('Kept in the secret storage. Empty: the server wants none.'),
    password: true,
    ignoreFocusOut: true,
  });
  if (key !== undefined) await host.keys.set(name, key.trim());
}

async function mayLeave({ name, url }: ServerProfile): Promise<boolean> {
  const send = vscode.l10n.t('Use This Server');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Chat with {name}?', { name }),
    {
      modal: true,
      detail: vscode.l10n.t('What you write will be sent to {host}, which is another machine.', {
        host: new URL(url).host,
      }),
    },
    send,
  );
  return answer === send;
}

async function ask(
  title: string,
  placeHolder: string,
  problem: (text: string) => string | null,
): Promise<string | undefined> {
  const answer = await vscode.window.showInputBox({
    title,
    placeHolder,
    ignoreFocusOut: true,
    validateInput: (text) => problem(text.trim()),
  });
  return answer?.trim();
}

function problemOf(parsed: {
  readonly success: boolean;
  readonly error?: { readonly issues: readonly { readonly message: string }[] };
}): string | null {
  return parsed.success ? null : (parsed.error?.issues[0]?.message ?? vscode.l10n.t('This cannot be used.'));
}

async function write(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('turnwise').update(key, value, vscode.ConfigurationTarget.Global);
}
