import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import { TurnwiseError } from '../core/error.ts';
import { withProposal } from '../core/proposal-edit.ts';
import type { AcceptedProposal } from './accepted-saves.ts';

/** Scheme of the read-only documents that show what a file would become. */
export const PROPOSAL_SCHEME = 'turnwise-proposal';

/** Code that an agent proposed, and where it came from. */
export interface Proposal {
  readonly episode: string;
  readonly turn: number;
  readonly code: string;
}

/** A proposal beside the document that it would change. */
interface Shown extends Proposal {
  readonly target: vscode.Uri;
  readonly preview: vscode.Uri;
  /** Version of the target that the preview was made from. */
  readonly version: number;
  readonly result: string;
}

/** Shows proposals in the editor's own diff, and writes one on the developer's word, as a single undo step. */
export class ProposalDiff implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #previews = new Map<string, string>();
  readonly #subscriptions: vscode.Disposable[];
  #shown: Shown | null = null;

  constructor() {
    this.#subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(PROPOSAL_SCHEME, this),
      vscode.window.tabGroups.onDidChangeTabs(() => {
        if (this.#shown !== null && tabsOf(this.#shown.preview).length === 0) this.#forget();
      }),
    ];
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#previews.get(uri.toString()) ?? '';
  }

  /** Opens the diff of the active document, or of a new one where none is open, against what it would become. */
  async show(proposal: Proposal): Promise<void> {
    await this.#close();
    const { document, selection } = await target();
    const eol = document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
    const range = { start: document.offsetAt(selection.start), end: document.offsetAt(selection.end) };
    const result = withProposal({ text: document.getText(), selection: range, eol }, proposal.code);
    const name = document.isUntitled ? vscode.l10n.t('Proposal') : vscode.workspace.asRelativePath(document.uri);
    // Same content, same address: the editor keeps a virtual document as long as it likes.
    const stamp = createHash('sha256').update(result).digest('hex').slice(0, 12);
    const preview = vscode.Uri.from({
      scheme: PROPOSAL_SCHEME,
      path: `/${stamp}/${name.split(/[\\/]/).at(-1) ?? name}`,
    });
    this.#previews.set(preview.toString(), result);
    this.#shown = { ...proposal, target: document.uri, preview, version: document.version, result };
    await vscode.commands.executeCommand('setContext', 'turnwise.proposalShown', true);
    const shown = await vscode.workspace.openTextDocument(preview);
    await vscode.languages.setTextDocumentLanguage(shown, document.isUntitled ? 'python' : document.languageId);
    await vscode.commands.executeCommand(
      'vscode.diff',
      document.uri,
      preview,
      vscode.l10n.t('{name}: proposal of turn {turn}', { name, turn: proposal.turn + 1 }),
      {
        preview: true,
      },
    );
  }

  /** Writes the shown proposal into its document; returns what was written. Throws where the document changed meanwhile. */
  async accept(): Promise<AcceptedProposal> {
    const shown = this.#required();
    const document = await vscode.workspace.openTextDocument(shown.target);
    if (document.version !== shown.version) {
      throw new TurnwiseError(
        'usage',
        'document_changed',
        vscode.l10n.t(
          'The file has changed since the proposal was shown; choose Apply again to see it against the file of now.',
        ),
      );
    }
    const edit = new vscode.WorkspaceEdit();
    const before = document.getText();
    const whole = new vscode.Range(document.positionAt(0), document.positionAt(before.length));
    edit.replace(shown.target, whole, shown.result);
    if (!(await vscode.workspace.applyEdit(edit))) {
      throw new TurnwiseError(
        'environment',
        'edit_refused',
        vscode.l10n.t('The editor refused the change; check that the file can be written, then accept again.'),
      );
    }
    await this.#close();
    await vscode.window.showTextDocument(document, { preview: false });
    const { episode, turn, target: written, result: after } = shown;
    return { episode, turn, target: written, before, after };
  }

  /** Closes the diff; returns what was shown. */
  async reject(): Promise<Proposal> {
    const shown = this.#required();
    await this.#close();
    return shown;
  }

  /** Whether this proposal is in the diff editor now. */
  shows({ episode, turn }: Pick<Proposal, 'episode' | 'turn'>): boolean {
    return this.#shown?.episode === episode && this.#shown.turn === turn;
  }

  async dismiss(): Promise<void> {
    await this.#close();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #required(): Shown {
    if (this.#shown !== null) return this.#shown;
    throw new TurnwiseError(
      'usage',
      'no_proposal',
      vscode.l10n.t('No proposal is shown; choose Apply in the chat first.'),
    );
  }

  async #close(): Promise<void> {
    const shown = this.#shown;
    if (shown === null) return;
    this.#forget();
    await vscode.window.tabGroups.close(tabsOf(shown.preview));
  }

  #forget(): void {
    if (this.#shown !== null) this.#previews.delete(this.#shown.preview.toString());
    this.#shown = null;
    void vscode.commands.executeCommand('setContext', 'turnwise.proposalShown', false);
  }
}

function tabsOf(preview: vscode.Uri): vscode.Tab[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(
      ({ input }) => input instanceof vscode.TabInputTextDiff && input.modified.toString() === preview.toString(),
    );
}

/** The document that the developer works in; where none is open, a new one. */
async function target(): Promise<{ readonly document: vscode.TextDocument; readonly selection: vscode.Selection }> {
  const editors = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
  const editor = editors.find(
    (candidate) =>
      candidate && ['file', 'untitled', 'vscode-remote', 'vscode-vfs'].includes(candidate.document.uri.scheme),
  );
  if (editor) return { document: editor.document, selection: editor.selection };
  const document = await vscode.workspace.openTextDocument({ language: 'python', content: '' });
  return { document, selection: new vscode.Selection(0, 0, 0, 0) };
}
