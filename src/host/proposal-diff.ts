import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import { editObservation } from '../app/proposal-edits.ts';
import type { Attachment } from '../core/context-text.ts';
import { TurnwiseError } from '../core/error.ts';
import { changedPart, withProposal } from '../core/proposal-edit.ts';
import type { AcceptedProposal } from './accepted-saves.ts';
import { PROPOSAL_SCHEME, ProposalFiles } from './proposal-files.ts';
import { proposalTarget, writtenEditor } from './proposal-target.ts';

/** Code that an agent proposed, and where it came from. */
export interface Proposal {
  readonly episode: string;
  readonly turn: number;
  readonly code: string;
  /** The editor's name of its language. */
  readonly language: string;
  /** What went along with the developer's words, oldest first. */
  readonly attached: readonly Attachment[];
}

/** A proposal that was written, and how. */
export interface WrittenProposal extends AcceptedProposal {
  /** What the developer changed in the diff before accepting it, as the agent reads it; null: nothing. */
  readonly edits: string | null;
}

/** A proposal beside the document that it would change. */
interface Shown extends Proposal {
  readonly target: vscode.Uri;
  readonly preview: vscode.Uri;
  /** Version of the target that the preview was made from. */
  readonly version: number;
  readonly result: string;
}

/** Shows proposals in the editor's own diff, where they may be edited, and writes one on the developer's word, as one undo step. */
export class ProposalDiff implements vscode.Disposable {
  readonly #files = new ProposalFiles();
  readonly #subscription: vscode.Disposable;
  #shown: Shown | null = null;

  constructor() {
    this.#subscription = vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
      const preview = this.#shown?.preview;
      // Another tab may change while the diff is not open yet.
      if (preview === undefined || !closed.some((tab) => shows(tab, preview))) return;
      if (tabsOf(preview).length === 0) this.#forget();
    });
    // A window that was reloaded brings the diff back without what it showed.
    const stale = tabs().filter(({ input }) => {
      const uri = input instanceof vscode.TabInputTextDiff ? input.modified : null;
      return uri?.scheme === PROPOSAL_SCHEME && !this.#files.has(uri);
    });
    if (stale.length > 0) void vscode.window.tabGroups.close(stale);
  }

  /** Opens the diff of the document that a proposal goes into against what it would become. */
  async show(proposal: Proposal): Promise<void> {
    await this.#close();
    const { document, selection } = await proposalTarget(proposal.attached, proposal.language);
    const result = withProposal(targetOf(document, selection), proposal.code);
    const name = document.isUntitled ? vscode.l10n.t('Proposal') : vscode.workspace.asRelativePath(document.uri);
    // Same content, same address: the editor keeps a document as long as it likes.
    const stamp = createHash('sha256')
      .update(`${proposal.episode} ${proposal.turn} ${result}`)
      .digest('hex')
      .slice(0, 12);
    // The editor shows the path above the diff, and leaves the query away.
    const preview = vscode.Uri.from({
      scheme: PROPOSAL_SCHEME,
      path: `/${vscode.l10n.t('Proposal')}/${name.split(/[\\/]/).at(-1) ?? name}`,
      query: stamp,
    });
    this.#files.put(preview, result);
    this.#shown = { ...proposal, target: document.uri, preview, version: document.version, result };
    await vscode.commands.executeCommand('setContext', 'turnwise.proposalShown', true);
    const shown = await vscode.workspace.openTextDocument(preview);
    // A new document has the language of the code, if the editor knows it.
    await vscode.languages.setTextDocumentLanguage(shown, document.languageId);
    const title = vscode.l10n.t('{name}: proposal of turn {turn}', { name, turn: proposal.turn + 1 });
    await vscode.commands.executeCommand('vscode.diff', document.uri, preview, title, { preview: true });
    await warnOfLoss(document, result);
  }

  /** Writes what stands on the right side into the document. Throws where the document changed meanwhile. */
  async accept(): Promise<WrittenProposal> {
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
    const right = await vscode.workspace.openTextDocument(shown.preview);
    const accepted = right.getText();
    const before = document.getText();
    await write(document, accepted);
    // A tab with unsaved words would ask before it closes.
    if (right.isDirty) await right.save();
    await this.#close();
    await vscode.window.showTextDocument(document, { preview: false });
    const { episode, turn, target, result } = shown;
    // What survives is measured against what the agent proposed.
    return { episode, turn, target, before, after: result, edits: editObservation(result, accepted) };
  }

  /** Writes the proposal at the cursor, in place of what is selected, as one undo step; into a new document where none is open. */
  async insert({ episode, turn, code, language }: Proposal): Promise<AcceptedProposal> {
    const editor = writtenEditor() ?? (await newEditor(language));
    const { document, selection } = editor;
    const before = document.getText();
    const body = selection.isEmpty ? code : code.replace(/\r?\n$/, '');
    // The editor writes the line ends of the document.
    const done = await editor.edit((edit) => {
      edit.replace(selection, body);
    });
    if (!done) throw refusedEdit();
    await vscode.window.showTextDocument(document, {
      viewColumn: editor.viewColumn ?? vscode.ViewColumn.Active,
      preview: false,
    });
    return { episode, turn, target: document.uri, before, after: document.getText() };
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
    this.#subscription.dispose();
    this.#files.dispose();
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
    const right = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === shown.preview.toString());
    if (right?.isDirty === true) await right.save();
    this.#forget();
    await vscode.window.tabGroups.close(tabsOf(shown.preview));
    this.#files.forget(shown.preview);
  }

  #forget(): void {
    this.#shown = null;
    void vscode.commands.executeCommand('setContext', 'turnwise.proposalShown', false);
  }
}

function targetOf(document: vscode.TextDocument, selection: vscode.Range): Parameters<typeof withProposal>[0] {
  return {
    text: document.getText(),
    selection: { start: document.offsetAt(selection.start), end: document.offsetAt(selection.end) },
    eol: document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n',
  };
}

/** Only what differs is replaced, so that cursors, folds and marks elsewhere stay; one undo step. */
async function write(document: vscode.TextDocument, text: string): Promise<void> {
  const change = changedPart(document.getText(), text);
  const edit = new vscode.WorkspaceEdit();
  const range = new vscode.Range(document.positionAt(change.start), document.positionAt(change.end));
  edit.replace(document.uri, range, change.text);
  if (!(await vscode.workspace.applyEdit(edit))) throw refusedEdit();
}

/** A file in an old encoding cannot hold every character; the editor would save a question mark in its place. */
async function warnOfLoss({ encoding }: vscode.TextDocument, text: string): Promise<void> {
  const saved = await vscode.workspace.decode(await vscode.workspace.encode(text, { encoding }), { encoding });
  if (saved === text) return;
  const lost = Array.from(text).find((character) => !saved.includes(character)) ?? '';
  void vscode.window.showWarningMessage(
    vscode.l10n.t(
      'This file is saved as {encoding}, which cannot hold "{character}"; edit the proposal in the diff, or choose "Save with Encoding" first.',
      { encoding, character: lost },
    ),
  );
}

function refusedEdit(): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'edit_refused',
    vscode.l10n.t('The editor refused the change; check that the file can be written, then try again.'),
  );
}

async function newEditor(language: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language, content: '' }));
}

function tabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap((group) => group.tabs);
}

function tabsOf(preview: vscode.Uri): vscode.Tab[] {
  return tabs().filter((tab) => shows(tab, preview));
}

function shows({ input }: vscode.Tab, preview: vscode.Uri): boolean {
  return input instanceof vscode.TabInputTextDiff && input.modified.toString() === preview.toString();
}
