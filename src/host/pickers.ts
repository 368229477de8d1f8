import * as vscode from 'vscode';
import { consentScopeSchema, type ConsentScope } from '../core/event.ts';
import { ENGINE_PROFILE, isLoopback, type ServerProfile } from '../core/settings.ts';
import { chooseEngineModel } from './engine-model.ts';
import type { Host } from './host.ts';
import { askForKey, askForServer, cannotScore, removeServer, writeSetting } from './profiles.ts';

/** Chooses the server that chats. */
export async function chooseChatServer(host: Host): Promise<void> {
  const current = host.settings.current['chat.server'];
  const name = await pickServer(host, { title: vscode.l10n.t('Which server should chat?'), current, scoring: false });
  if (name === null) return;
  const server = host.settings.current.servers.find((candidate) => candidate.name === name);
  if (server && !isLoopback(server.url) && !(await mayLeave(server))) return;
  await writeSetting('chat.server', name);
}

/** Chooses the server that scores; one that cannot is not taken, and what can is offered in its place. */
export async function chooseScorer(host: Host): Promise<void> {
  const current = host.settings.current['scoring.server'];
  const name = await pickServer(host, { title: vscode.l10n.t('Which server should score?'), current, scoring: true });
  if (name === null) return;
  const server = host.settings.current.servers.find((candidate) => candidate.name === name);
  if (server?.scorer !== 'none') {
    await writeSetting('scoring.server', name);
    return;
  }
  const instead = vscode.l10n.t('Score with the Local Engine');
  const answer = await vscode.window.showWarningMessage(cannotScore(name), { modal: true }, instead);
  if (answer === instead) await writeSetting('scoring.server', ENGINE_PROFILE);
}

/** Describes a server, asks for its key where it wants one, and keeps both where they belong. */
export async function addServer(host: Host): Promise<void> {
  await askForServer(host);
}

/** Shows the profiles, to be mended, given a key or taken away. */
export async function manageServers(host: Host): Promise<void> {
  const current = host.settings.current['chat.server'];
  const name = await pickServer(host, { title: vscode.l10n.t('Servers and models'), current, scoring: false });
  const server = host.settings.current.servers.find((candidate) => candidate.name === name);
  if (server) await askForServer(host, { old: server });
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

/** A row of the picker: a profile, or (null) what leads to another one. */
interface ServerItem extends vscode.QuickPickItem {
  readonly profile: string | null;
  readonly then: 'use' | 'add' | 'model';
}

type ItemWish = 'edit' | 'key' | 'remove';

/** The name of a profile; null: none was chosen. Its buttons mend, key and remove one; the picker then comes again. */
async function pickServer(
  host: Host,
  wish: { readonly title: string; readonly current: string; readonly scoring: boolean },
): Promise<string | null> {
  for (;;) {
    const answer = await askPicker(wish.title, itemsOf(host, wish));
    if (answer === null) return null;
    const { item, wish: button } = answer;
    const server = host.settings.current.servers.find(({ name }) => name === item.profile);
    if (button === null) {
      if (item.then === 'add') return askForServer(host, { toScore: wish.scoring });
      if (item.then === 'use') return item.profile;
      if (!(await chooseEngineModel(host))) return null;
      return ENGINE_PROFILE;
    }
    if (server === undefined) continue;
    if (button === 'edit') await askForServer(host, { old: server });
    else if (button === 'key') await askForKey(host, server.name);
    else await removeServer(host, server.name);
  }
}

function itemsOf(
  host: Host,
  { current, scoring }: { readonly current: string; readonly scoring: boolean },
): ServerItem[] {
  const mark = (name: string, label: string): string => (name === current ? `$(check) ${label}` : label);
  const model = host.settings.current['engine.model'];
  const profiles = host.settings.current.servers.map(({ name, model: served, url, scorer }): ServerItem => ({
    label: mark(name, name),
    description: vscode.l10n.t('{model} at {url}', { model: served, url }),
    ...(scoring && scorer === 'none' ? { detail: `$(circle-slash) ${vscode.l10n.t('cannot score')}` } : {}),
    profile: name,
    then: 'use',
    buttons: buttons(),
  }));
  return [
    {
      label: mark(ENGINE_PROFILE, vscode.l10n.t('Local engine')),
      description:
        model === '' ? vscode.l10n.t('on this machine') : vscode.l10n.t('on this machine: {model}', { model }),
      profile: ENGINE_PROFILE,
      then: 'use',
    },
    ...profiles,
    { label: `$(add) ${vscode.l10n.t('Add a server…')}`, profile: null, then: 'add' },
    { label: `$(file) ${vscode.l10n.t('Choose a model file for the local engine…')}`, profile: null, then: 'model' },
  ];
}

interface WishButton extends vscode.QuickInputButton {
  readonly wish: ItemWish;
}

function buttons(): WishButton[] {
  return [
    { wish: 'edit', iconPath: new vscode.ThemeIcon('edit'), tooltip: vscode.l10n.t('Change') },
    { wish: 'key', iconPath: new vscode.ThemeIcon('key'), tooltip: vscode.l10n.t('Set its key') },
    { wish: 'remove', iconPath: new vscode.ThemeIcon('trash'), tooltip: vscode.l10n.t('Remove') },
  ];
}

async function askPicker(
  title: string,
  items: ServerItem[],
): Promise<{ readonly item: ServerItem; readonly wish: ItemWish | null } | null> {
  return new Promise((resolve) => {
    const picker = vscode.window.createQuickPick<ServerItem>();
    picker.title = title;
    picker.items = items;
    picker.matchOnDescription = true;
    picker.onDidAccept(() => {
      const [item] = picker.selectedItems;
      if (item !== undefined) resolve({ item, wish: null });
      picker.hide();
    });
    picker.onDidTriggerItemButton(({ item, button }) => {
      resolve({ item, wish: (button as WishButton).wish });
      picker.hide();
    });
    picker.onDidHide(() => {
      picker.dispose();
      resolve(null);
    });
    picker.show();
  });
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
