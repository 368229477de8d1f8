import * as vscode from 'vscode';
import { errorText } from '../core/error.ts';
import { serverUrl, scorerOf, suggestedName, type ServerProbe } from '../core/server-probe.ts';
import { ENGINE_PROFILE, serverProfileSchema, type ServerProfile } from '../core/settings.ts';
import type { Host } from './host.ts';

/**
 * Asks for an address, finds out what answers there, lets one choose among its models, and keeps the profile in the settings
 * and its key, where it wants one, in the secret storage. The name of the profile; null: the developer thought better of it.
 * `toScore`: whoever asked it to score says next why it cannot.
 */
export async function askForServer(
  host: Host,
  { old = null, toScore = false }: { readonly old?: ServerProfile | null; readonly toScore?: boolean } = {},
): Promise<string | null> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t('This workspace is not trusted, so servers cannot be added here; trust it first.'),
    );
    return null;
  }
  const url = await askForUrl(old?.url ?? '');
  if (url === null) return null;
  const found = await lookAt(host, url, old === null ? null : await host.keys.get(old.name));
  if (found === null) return null;
  const model = await askForModel(found.models, old?.model ?? '');
  if (model === null) return null;
  const name = old?.name ?? (await askForName(host, suggestedName(found.kind, url, namesOf(host))));
  if (name === null) return null;
  const { scorer, why } = await scorerAt(host, { ...found, url, model, name });
  const kept = old?.scorer === scorer && old.tokenizer !== undefined ? { tokenizer: old.tokenizer } : {};
  if (found.apiKey !== null) await host.keys.set(name, found.apiKey);
  await writeProfiles((others) => [
    ...others.filter((other) => other.name !== name),
    { name, url, model, scorer, ...kept },
  ]);
  if (why === null)
    vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('{name} can chat and score', { name })}`, 5000);
  else if (!toScore) void vscode.window.showInformationMessage(why);
  return name;
}

/** Takes a profile and its key away, once that is confirmed; what was chosen to chat or score with it goes back to the local engine. */
export async function removeServer(host: Host, name: string): Promise<void> {
  const remove = vscode.l10n.t('Remove');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Remove {name}?', { name }),
    {
      modal: true,
      detail: vscode.l10n.t('Its address and its key are forgotten. Conversations and scores that came from it stay.'),
    },
    remove,
  );
  if (answer !== remove) return;
  const { current } = host.settings;
  for (const key of ['chat.server', 'scoring.server'] as const) {
    if (current[key] === name) await writeSetting(key, ENGINE_PROFILE);
  }
  await host.keys.set(name, '');
  await writeProfiles((others) => others.filter((other) => other.name !== name));
}

/** Asks for the key of a server; an empty answer takes the old one away. */
export async function askForKey(host: Host, name: string): Promise<void> {
  const key = await keyBox(
    vscode.l10n.t('Key of {name}', { name }),
    vscode.l10n.t('Kept in the secret storage. Empty: the server wants none.'),
  );
  if (key !== undefined) await host.keys.set(name, key);
}

export async function writeSetting(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('turnwise').update(key, value, vscode.ConfigurationTarget.Global);
}

/** Why a server that only chats cannot score, and what to do. */
export function cannotScore(name: string): string {
  return vscode.l10n.t(
    'Scoring is not possible with {name}, because it gives no log-probs of a text that one hands in; choose the local engine as the scorer, or a vLLM, SGLang or llama-server.',
    { name },
  );
}

interface Found extends ServerProbe {
  readonly apiKey: string | null;
  /** Nobody answered, and the developer wants it all the same. */
  readonly unseen: boolean;
}

const namesOf = (host: Host): ReadonlySet<string> => new Set(host.settings.current.servers.map(({ name }) => name));

async function askForUrl(value: string): Promise<string | null> {
  const answer = await vscode.window.showInputBox({
    title: vscode.l10n.t('Address of the server'),
    placeHolder: 'http://127.0.0.1:8000/v1',
    prompt: vscode.l10n.t('OpenAI, vLLM, SGLang, Ollama, llama-server: whatever speaks the OpenAI protocol.'),
    value,
    ignoreFocusOut: true,
    validateInput: (text) =>
      text.trim() === '' || serverUrl(text) !== null
        ? null
        : vscode.l10n.t('An address begins with http:// or https:// and names no user.'),
  });
  return answer === undefined ? null : serverUrl(answer);
}

/** Finds out what is there, with a key where it asks for one. */
async function lookAt(host: Host, url: string, known: string | null): Promise<Found | null> {
  let apiKey = known;
  for (;;) {
    const probe = await ask(vscode.l10n.t('Looking at {host}', { host: new URL(url).host }), (signal) =>
      host.servers.detect({ url, apiKey }, signal),
    );
    if (probe === null) return null;
    if (probe instanceof Error) {
      const again = vscode.l10n.t('Try Again');
      const anyway = vscode.l10n.t('Add It Anyway');
      const answer = await vscode.window.showWarningMessage(errorText(probe), { modal: true }, again, anyway);
      if (answer === anyway) return { kind: 'openai', models: [], wantsKey: false, apiKey, unseen: true };
      if (answer !== again) return null;
    } else if (probe.wantsKey) {
      const refused = apiKey !== null;
      const key = await keyBox(
        vscode.l10n.t('Key of {host}', { host: new URL(url).host }),
        refused
          ? vscode.l10n.t('The server refused this key. Another one is kept in the secret storage, and nowhere else.')
          : vscode.l10n.t('The server asks for a key. It is kept in the secret storage, and nowhere else.'),
      );
      if (key === undefined || key === '') return null;
      apiKey = key;
    } else {
      return { ...probe, apiKey, unseen: false };
    }
  }
}

async function askForModel(models: readonly string[], old: string): Promise<string | null> {
  const title = vscode.l10n.t('Which model?');
  if (models.length > 0) {
    const other = `$(edit) ${vscode.l10n.t('Another name…')}`;
    const sorted = [...models].sort((a, b) => Number(b === old) - Number(a === old));
    const chosen = await vscode.window.showQuickPick([...sorted, other], { title, ignoreFocusOut: true });
    if (chosen === undefined) return null;
    if (chosen !== other) return chosen;
  }
  const answer = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('Its name, as the server calls it.'),
    placeHolder: 'Qwen/Qwen3-8B',
    value: old,
    ignoreFocusOut: true,
  });
  return answer?.trim() || null;
}

async function askForName(host: Host, value: string): Promise<string | null> {
  const taken = namesOf(host);
  const answer = await vscode.window.showInputBox({
    title: vscode.l10n.t('Name of the server'),
    prompt: vscode.l10n.t('What it is called in the chat and in the status bar.'),
    value,
    ignoreFocusOut: true,
    validateInput: (text) =>
      taken.has(text.trim())
        ? vscode.l10n.t('There is one of this name.')
        : serverProfileSchema.shape.name.safeParse(text.trim()).success
          ? null
          : vscode.l10n.t('Letters, digits, dots and dashes, beginning with a letter or a digit; "engine" is taken.'),
  });
  return answer?.trim() || null;
}

/** How it scores, by its kind or by asking it; `why`: it does not, in words for a person. */
async function scorerAt(
  host: Host,
  {
    kind,
    url,
    model,
    name,
    apiKey,
    unseen,
  }: Found & { readonly url: string; readonly model: string; readonly name: string },
): Promise<{ readonly scorer: ServerProfile['scorer']; readonly why: string | null }> {
  const known = scorerOf(kind);
  if (known !== null) return { scorer: known, why: known === 'none' ? cannotScore(name) : null };
  if (unseen) return { scorer: 'openai-completions', why: null };
  const told = await ask(vscode.l10n.t('Asking {name} whether it can score', { name }), (signal) =>
    host.servers.whyNoEcho({ url, apiKey, model }, signal),
  );
  return told === null || told instanceof Error || told.refusal === null
    ? { scorer: 'openai-completions', why: null }
    : { scorer: 'none', why: cannotScore(name) };
}

/** Null: it was cancelled; an error is given back, to be told where it was asked. */
async function ask<T extends object>(
  title: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | Error | null> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (_progress, token) => {
      const cancelled = new AbortController();
      const subscription = token.onCancellationRequested(() => {
        cancelled.abort();
      });
      try {
        return await work(cancelled.signal);
      } catch (thrown) {
        if (cancelled.signal.aborted) return null;
        return thrown instanceof Error ? thrown : new Error(errorText(thrown));
      } finally {
        subscription.dispose();
      }
    },
  );
}

async function keyBox(title: string, prompt: string): Promise<string | undefined> {
  const key = await vscode.window.showInputBox({ title, prompt, password: true, ignoreFocusOut: true });
  return key?.trim();
}

/** The profiles as they stand in the settings, ones that cannot be used among them: they are a person's to mend. */
async function writeProfiles(change: (profiles: readonly Partial<ServerProfile>[]) => unknown[]): Promise<void> {
  const now = vscode.workspace.getConfiguration('turnwise').get<Partial<ServerProfile>[]>('servers') ?? [];
  await writeSetting('servers', change(now));
}
