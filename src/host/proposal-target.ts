import * as vscode from 'vscode';
import type { Attachment } from '../core/context-text.ts';
import { selectionIn } from '../core/proposal-edit.ts';
import { candidates, isWritten, nameOf } from './context/workspace-files.ts';

/** The document that a proposal may go into, and the part that it may replace. */
export interface ProposalTarget {
  readonly document: vscode.TextDocument;
  readonly selection: vscode.Range;
}

/**
 * Where a proposal goes: into the selection that came with the request, if that is still there; else into the document that
 * the developer works in; else into the file that came with the request; where none of them is, into a new document.
 * `attached`: what went along with the developer's words, oldest first.
 */
export async function proposalTarget(attached: readonly Attachment[], language: string): Promise<ProposalTarget> {
  const selected = attached.findLast(({ range }) => range !== null);
  const document = selected === undefined ? null : await documentOf(selected.path);
  const place = document === null || selected === undefined ? null : selectionIn(document.getText(), selected);
  if (document !== null && place !== null) {
    return { document, selection: new vscode.Range(document.positionAt(place.start), document.positionAt(place.end)) };
  }
  const editor = writtenEditor();
  if (editor) return { document: editor.document, selection: editor.selection };
  const file = attached.findLast(({ range }) => range === null);
  const opened = file === undefined ? null : await documentOf(file.path);
  return {
    document: opened ?? (await vscode.workspace.openTextDocument({ language, content: '' })),
    selection: new vscode.Range(0, 0, 0, 0),
  };
}

/** The editor that the developer works in, also while a chat or a log is in front; undefined: none is open. */
export function writtenEditor(): vscode.TextEditor | undefined {
  return [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors].find(
    (editor) => editor !== undefined && isWritten(editor.document.uri),
  );
}

async function documentOf(path: string): Promise<vscode.TextDocument | null> {
  // A document without a file has no path but its name.
  const open = vscode.workspace.textDocuments.find(({ uri }) => isWritten(uri) && nameOf(uri) === path);
  if (open) return open;
  for (const uri of candidates(path)) {
    if (vscode.workspace.getWorkspaceFolder(uri) === undefined) continue;
    try {
      return await vscode.workspace.openTextDocument(uri);
    } catch {
      // Moved or deleted since; the next folder may have it.
    }
  }
  return null;
}
