import * as vscode from 'vscode';
import {
  attachedText,
  attachmentLabel,
  MAX_ATTACHMENTS,
  withContext,
  type Attachment,
  type SelectedRange,
} from '../../core/context-text.ts';
import { TurnwiseError } from '../../core/error.ts';
import { keptContextText, readKeptContext } from '../../core/kept-context.ts';
import type { ContextChip } from '../../core/webview-protocol.ts';
import { isWritten, nameOf, refuseSecretFile, WorkspaceFiles } from './workspace-files.ts';

/** Longest attachment, and longest of all of a message together, in UTF-16 units. */
const LONGEST = 40_000;
const LONGEST_ALL = 120_000;

/** A chosen file is read when the message goes; a selection is what was selected. */
type Shelved =
  | { readonly id: string; readonly kind: 'file'; readonly uri: vscode.Uri }
  | { readonly id: string; readonly kind: 'selection'; readonly attachment: Attachment };

/** Where it is kept what waits here, so that it outlives the window as the words beside it do. */
export interface ShelfMemory {
  context: string | null;
}

/**
 * What of the workspace goes with the next message. Nothing does before the developer puts it here; a message takes all of it
 * with it.
 */
export class ContextShelf implements vscode.Disposable {
  readonly files = new WorkspaceFiles();
  readonly #memory: ShelfMemory;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: readonly vscode.Disposable[];
  #items: readonly Shelved[] = [];
  /** Address of the file that was switched on. */
  #switchedOn: string | null;
  #active: vscode.Uri | null = null;
  #count = 0;

  readonly onDidChange = this.#changed.event;

  /** `memory` must not throw. */
  constructor(memory: ShelfMemory) {
    this.#memory = memory;
    const { active, items } = readKeptContext(memory.context);
    this.#switchedOn = active;
    this.#items = items.map((item) => {
      const id = this.#nextId();
      return item.kind === 'selection' ? { id, ...item } : { id, kind: 'file', uri: vscode.Uri.parse(item.uri) };
    });
    this.#look();
    const look = (): void => {
      if (this.#look()) this.#tell();
    };
    this.#subscriptions = [
      vscode.window.onDidChangeActiveTextEditor(look),
      vscode.window.onDidChangeVisibleTextEditors(look),
    ];
  }

  chips(): ContextChip[] {
    const items = this.#items.map((item): ContextChip => {
      const label = item.kind === 'file' ? nameOf(item.uri) : attachmentLabel(item.attachment);
      return { id: item.id, kind: item.kind, label: shortLabel(label), title: label, on: true };
    });
    const active = this.#active;
    if (active === null || this.#items.some((item) => item.kind === 'file' && same(item.uri, active))) return items;
    const name = nameOf(active);
    return [{ id: 'active', kind: 'active', label: shortLabel(name), title: name, on: this.#isOn(active) }, ...items];
  }

  /** The file in the editor goes along, or no longer. Throws `TurnwiseError` where it must not. */
  async toggleActive(): Promise<void> {
    const active = this.#active;
    if (active === null) return;
    const on = this.#isOn(active);
    if (!on) await this.files.refuseClosed(active).then(() => readWhole(active));
    this.#switchedOn = on ? null : active.toString();
    this.#tell();
  }

  /** A file of the workspace, by its name. Throws `TurnwiseError`. */
  async addFile(path: string): Promise<void> {
    const uri = await this.files.locate(path);
    await this.files.refuseClosed(uri);
    await readWhole(uri);
    const known = this.#items.some((item) => item.kind === 'file' && same(item.uri, uri));
    if (!known) this.#add({ id: this.#nextId(), kind: 'file', uri });
  }

  /** What is selected in the editor, or, where nothing is, the line of the cursor. Throws `TurnwiseError`. */
  addSelection(): void {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined || !isWritten(editor.document.uri)) {
      throw new TurnwiseError(
        'usage',
        'no_editor',
        vscode.l10n.t('No file is open in the editor; open one, select a part, then add it.'),
      );
    }
    const { document, selection } = editor;
    refuseSecretFile(document.uri);
    const range = selection.isEmpty ? document.lineAt(selection.active.line).range : selection;
    const text = attachedText(document.getText(range));
    if (text.trim() === '') {
      throw new TurnwiseError(
        'usage',
        'nothing_selected',
        vscode.l10n.t('Nothing is selected; select the part that matters, then add it.'),
      );
    }
    refuseLong(nameOf(document.uri), text);
    const attachment = { path: nameOf(document.uri), range: selectedRange(document, range), text };
    const label = attachmentLabel(attachment);
    const others = this.#items.filter(
      (item) => item.kind !== 'selection' || attachmentLabel(item.attachment) !== label,
    );
    this.#items = others;
    this.#add({ id: this.#nextId(), kind: 'selection', attachment });
  }

  remove(id: string): void {
    this.#items = this.#items.filter((item) => item.id !== id);
    this.#tell();
  }

  /** The developer's words with all that goes along, and with `kept`. Throws `TurnwiseError` where a file can no longer go, and nothing is sent. */
  async compose(words: string, kept: readonly Attachment[] = []): Promise<string> {
    const active = this.#active !== null && this.#isOn(this.#active) ? [this.#active] : [];
    const files = this.#items.flatMap((item) => (item.kind === 'file' ? [item.uri] : []));
    const whole: Attachment[] = [];
    for (const uri of [...active.filter((one) => !files.some((file) => same(file, one))), ...files]) {
      await this.files.refuseClosed(uri);
      whole.push({ path: nameOf(uri), range: null, text: await readWhole(uri) });
    }
    const parts = this.#items.flatMap((item) => (item.kind === 'selection' ? [item.attachment] : []));
    const anew = [...whole, ...parts];
    // What went along with words that are edited goes along again, unless it is attached anew.
    const labels = new Set(anew.map(attachmentLabel));
    const all = [...kept.filter((one) => !labels.has(attachmentLabel(one))), ...anew];
    const length = all.reduce((sum, { text }) => sum + text.length, 0);
    if (length > LONGEST_ALL) {
      throw new TurnwiseError(
        'usage',
        'context_too_long',
        vscode.l10n.t(
          'The attached files have {length} characters together, and a message takes {most}; remove some of them.',
          { length: count(length), most: count(LONGEST_ALL) },
        ),
      );
    }
    return withContext(words, all);
  }

  /** The message that took everything along is on the disk. */
  clear(): void {
    if (this.#items.length === 0 && this.#switchedOn === null) return;
    this.#items = [];
    this.#switchedOn = null;
    this.#tell();
  }

  dispose(): void {
    this.#changed.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #add(item: Shelved): void {
    if (this.#items.length >= MAX_ATTACHMENTS - 1) {
      throw new TurnwiseError(
        'usage',
        'too_many_attachments',
        vscode.l10n.t('A message takes {most} attachments; remove one first.', { most: MAX_ATTACHMENTS - 1 }),
      );
    }
    this.#items = [...this.#items, item];
    this.#tell();
  }

  #isOn(active: vscode.Uri): boolean {
    return this.#switchedOn === active.toString();
  }

  /** First kept, then shown. */
  #tell(): void {
    this.#memory.context = keptContextText({
      active: this.#switchedOn,
      items: this.#items.map((item) =>
        item.kind === 'file'
          ? { kind: item.kind, uri: item.uri.toString() }
          : { kind: item.kind, attachment: item.attachment },
      ),
    });
    this.#changed.fire();
  }

  #nextId(): string {
    this.#count += 1;
    return `c${this.#count}`;
  }

  /** Which file the developer looks at; a chat or a log in front of it changes nothing. True: another one. */
  #look(): boolean {
    const editors = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
    const found = editors.find(
      (editor) =>
        editor !== undefined &&
        isWritten(editor.document.uri) &&
        vscode.workspace.getWorkspaceFolder(editor.document.uri) !== undefined,
    );
    const before = this.#active?.toString();
    this.#active = found?.document.uri ?? null;
    if (before === this.#active?.toString()) return false;
    // Switched on was the file that was there, not whatever comes next; a window that has just been reloaded shows none yet.
    if (this.#active !== null && !this.#isOn(this.#active)) this.#switchedOn = null;
    return true;
  }
}

/** The text as the editor has it, unsaved changes included. Throws `TurnwiseError` for what is no text, or too much. */
async function readWhole(uri: vscode.Uri): Promise<string> {
  const name = nameOf(uri);
  let document: vscode.TextDocument;
  try {
    document = await vscode.workspace.openTextDocument(uri);
  } catch (cause) {
    throw new TurnwiseError(
      'usage',
      'not_text',
      vscode.l10n.t(
        '{name} cannot be read as text (it is binary, very large or gone), so it is not attached; attach another file.',
        { name },
      ),
      { cause },
    );
  }
  const text = attachedText(document.getText());
  if (text.includes('\0')) {
    throw new TurnwiseError(
      'usage',
      'not_text',
      vscode.l10n.t('{name} is not a text file, so it is not attached; attach another file.', { name }),
    );
  }
  refuseLong(name, text);
  return text;
}

function refuseLong(name: string, text: string): void {
  if (text.length <= LONGEST) return;
  throw new TurnwiseError(
    'usage',
    'attachment_too_long',
    vscode.l10n.t(
      '{name} has {length} characters, and an attachment takes {most}; select the part that matters and add the selection.',
      { name, length: count(text.length), most: count(LONGEST) },
    ),
  );
}

/** Lines from 1; columns only where a line is cut. */
function selectedRange(document: vscode.TextDocument, { start, end }: vscode.Range): SelectedRange {
  // A selection of whole lines ends in front of the line that follows.
  const last = end.character === 0 && end.line > start.line ? document.lineAt(end.line - 1).range.end : end;
  const whole = start.character === 0 && last.character === document.lineAt(last.line).text.length;
  return {
    from: start.line + 1,
    to: last.line + 1,
    columns: whole ? null : { from: start.character + 1, to: last.character + 1 },
  };
}

function same(a: vscode.Uri, b: vscode.Uri): boolean {
  return a.toString() === b.toString();
}

/** The name alone; the whole path is the chip's title. */
function shortLabel(path: string): string {
  return path.split('/').at(-1) ?? path;
}

function count(length: number): string {
  return length.toLocaleString('en');
}
