import * as vscode from 'vscode';
import { inertIn, readSettings, type SettingProblem, type Settings } from '../core/settings.ts';

/** The settings as they are now, and whoever wants to know when they change. */
export class SettingsReader implements vscode.Disposable {
  readonly #log: vscode.LogOutputChannel;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: readonly { dispose(): unknown }[];
  #settings: Settings | null = null;

  readonly onDidChange = this.#changed.event;

  constructor(log: vscode.LogOutputChannel) {
    this.#log = log;
    const forget = (): void => {
      this.#settings = null;
      this.#changed.fire();
    };
    this.#subscriptions = [
      this.#changed,
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('turnwise')) forget();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(forget),
    ];
  }

  /** Usable values of every setting; what could not be used is in the log, once. */
  get current(): Settings {
    if (this.#settings !== null) return this.#settings;
    const { settings, problems } = read();
    for (const { message } of problems) this.#log.warn(message);
    this.#settings = settings;
    return settings;
  }

  /** What is wrong in the settings, in words. */
  get problems(): readonly SettingProblem[] {
    return read().problems;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}

/** In a workspace that nobody vouched for, what names servers, files and paths stays at its default. */
function read(): ReturnType<typeof readSettings> {
  const configuration = vscode.workspace.getConfiguration('turnwise');
  const inert = inertIn(vscode.workspace.isTrusted);
  return readSettings((key) => {
    if (!inert.has(key)) return configuration.get(key);
    // Where the history stands is the person's own choice; another store for strange folders would look like a lost one.
    return key === 'store.path' ? configuration.inspect(key)?.globalValue : undefined;
  });
}
