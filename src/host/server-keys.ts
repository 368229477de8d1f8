import * as vscode from 'vscode';

/** The keys of servers, by profile. They stand in the editor's secret storage and nowhere else. */
export class ServerKeys implements vscode.Disposable {
  readonly #secrets: vscode.SecretStorage;
  readonly #changed = new vscode.EventEmitter<string>();
  readonly #subscription: vscode.Disposable;

  /** The profile whose key was given, replaced or taken away, in this window or another. */
  readonly onDidChange = this.#changed.event;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = secrets;
    this.#subscription = secrets.onDidChange(({ key }) => {
      if (key.startsWith(PREFIX)) this.#changed.fire(key.slice(PREFIX.length));
    });
  }

  /** Null: none was given. */
  async get(profile: string): Promise<string | null> {
    return (await this.#secrets.get(PREFIX + profile)) ?? null;
  }

  /** An empty key takes the old one away. */
  async set(profile: string, key: string): Promise<void> {
    if (key === '') await this.#secrets.delete(PREFIX + profile);
    else await this.#secrets.store(PREFIX + profile, key);
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }
}

const PREFIX = 'turnwise.key.';
