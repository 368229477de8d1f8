import type * as vscode from 'vscode';

/** The keys of servers, by profile. They stand in the editor's secret storage and nowhere else. */
export class ServerKeys {
  readonly #secrets: vscode.SecretStorage;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = secrets;
  }

  /** Null: none was given. */
  async get(profile: string): Promise<string | null> {
    return (await this.#secrets.get(nameOf(profile))) ?? null;
  }

  /** An empty key takes the old one away. */
  async set(profile: string, key: string): Promise<void> {
    if (key === '') await this.#secrets.delete(nameOf(profile));
    else await this.#secrets.store(nameOf(profile), key);
  }
}

function nameOf(profile: string): string {
  return `turnwise.key.${profile}`;
}
