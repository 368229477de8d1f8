import * as vscode from 'vscode';
import { TurnwiseError } from '../core/error.ts';

/** A published tokenizer that is to be fetched. */
export interface TokenizerFetch {
  /** `hf:owner/name`, or `hf:owner/name@revision`. */
  readonly reference: string;
  /** Base URL of the place that has it. */
  readonly from: string;
}

/**
 * Nothing leaves this machine for a server that nobody has set up, unless a person says so. A window asks one question at a
 * time, and what was declined is not asked again until `askAgain`: the jobs of a queue are many.
 */
export class TokenizerConsent {
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #declined = new Set<string>();

  /** Resolves once a person agreed. Throws `usage`/`tokenizer_not_fetched` where they do not. */
  async agree({ reference, from }: TokenizerFetch): Promise<void> {
    if (!this.#declined.has(reference)) {
      const asked = this.#asking.get(reference) ?? ask(reference, from);
      this.#asking.set(reference, asked);
      const agreed = await asked.finally(() => this.#asking.delete(reference));
      if (agreed) return;
      this.#declined.add(reference);
    }
    throw new TurnwiseError(
      'usage',
      'tokenizer_not_fetched',
      vscode.l10n.t(
        "The tokenizer {reference} was not fetched; run Score Now and agree, or name a folder that holds it in the server's profile.",
        { reference },
      ),
    );
  }

  /** The person has come back to it. */
  askAgain(): void {
    this.#declined.clear();
  }
}

async function ask(reference: string, from: string): Promise<boolean> {
  const fetchIt = vscode.l10n.t('Fetch');
  const name = reference.slice(reference.indexOf(':') + 1);
  const detail = vscode.l10n.t(
    "The scorer needs it. It is fetched once, from {host}, which learns the model's name and nothing of your conversations.",
    { host: new URL(from).host },
  );
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Fetch the tokenizer of {name}?', { name }),
    { modal: true, detail },
    fetchIt,
  );
  return answer === fetchIt;
}
