import * as vscode from 'vscode';
import type { ServerPool } from './servers.ts';

/** How the chat server is, at the foot of the window; a click chooses another. */
export class StatusBar implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('turnwise.health', vscode.StatusBarAlignment.Right, 90);
  readonly #servers: ServerPool;
  readonly #subscription: vscode.Disposable;

  constructor(servers: ServerPool) {
    this.#servers = servers;
    this.#item.name = 'Turnwise';
    this.#item.command = 'turnwise.chooseChatServer';
    this.#subscription = servers.onDidChange(() => {
      this.update();
    });
    this.update();
    this.#item.show();
  }

  update(): void {
    const { name, notice } = this.#servers.describeChat();
    const { health, scorerProblem } = this.#servers;
    const icon = {
      unknown: 'comment-discussion',
      connecting: 'loading~spin',
      ready: 'comment-discussion',
      failed: 'warning',
    }[health.state];
    const words = {
      unknown: vscode.l10n.t('not connected yet'),
      connecting: vscode.l10n.t('connecting…'),
      ready: vscode.l10n.t('ready'),
      failed: vscode.l10n.t('not available'),
    }[health.state];
    this.#item.text = `$(${icon}) ${name}${scorerProblem === null ? '' : ' $(circle-slash)'}`;
    void vscode.commands.executeCommand('setContext', 'turnwise.unreachable', health.state === 'failed');
    this.#item.tooltip = [
      vscode.l10n.t('Turnwise chats with: {name} ({state})', { name, state: words }),
      ...(health.state === 'failed' ? [health.message] : []),
      ...(notice === null ? [] : [notice]),
      ...(scorerProblem === null ? [] : [scorerProblem]),
      vscode.l10n.t('Click to choose another server.'),
    ].join('\n\n');
    this.#item.accessibilityInformation = {
      label: `Turnwise: ${[name, words, ...(scorerProblem === null ? [] : [scorerProblem])].join(', ')}`,
    };
    this.#item.backgroundColor =
      health.state === 'failed' ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#item.dispose();
  }
}
