import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { AcceptedSaves } from '../../../src/host/accepted-saves.ts';
import { ProposalDiff, type Proposal } from '../../../src/host/proposal-diff.ts';

const UNDO = 'undo';
const SAVE = 'workbench.action.files.save';
const CODE = 'def price(x):\n    y = x * 2\n    return round(y, 2)\n';
const BEFORE = ['"""Prix d\u00e9taill\u00e9."""', '', 'def price(x):', '    return x', ''];

describe('a proposal and its file', () => {
  let diff: ProposalDiff;
  let saves: AcceptedSaves;
  let count = 0;
  const measured: { turn: number; share: number | null }[] = [];

  before(() => {
    diff = new ProposalDiff();
    saves = new AcceptedSaves(({ turn }, share) => {
      measured.push({ turn, share });
    });
  });
  afterEach(async () => {
    measured.length = 0;
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
  after(() => {
    diff.dispose();
    saves.dispose();
  });

  const nextProposal = (code = CODE): Proposal => {
    count += 1;
    return { episode: 'e', turn: count, code, language: 'python', attached: [] };
  };

  async function fileWith(bytes: Buffer): Promise<string> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    assert.ok(folder);
    count += 1;
    const path = join(folder, `made-${count}.py`);
    await writeFile(path, bytes);
    return path;
  }

  async function opened(path: string, encoding?: string): Promise<vscode.TextDocument> {
    const uri = vscode.Uri.file(path);
    const document = await vscode.workspace.openTextDocument(uri, ...(encoding === undefined ? [] : [{ encoding }]));
    await vscode.window.showTextDocument(document, { preview: false });
    return document;
  }

  /** Shows the proposal, lets `edit` change the right side, and accepts it; its survival is then waited for. */
  async function accept(proposal: Proposal, edit?: (right: vscode.TextDocument) => Promise<void>): Promise<void> {
    await diff.show(proposal);
    const shown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(shown instanceof vscode.TabInputTextDiff);
    await edit?.(await vscode.workspace.openTextDocument(shown.modified));
    saves.watch(await diff.accept());
  }

  /** Saves what is in front as Ctrl+S does, also where nothing has changed. */
  const save = () => vscode.commands.executeCommand(SAVE);
  const share = async () => {
    await until(() => measured.length > 0);
    assert.equal(measured.length, 1);
    return measured[0]?.share;
  };

  for (const [name, eol, encoding, codec] of [
    ['LF in UTF-8', '\n', undefined, 'utf8'],
    ['CRLF in UTF-8', '\r\n', undefined, 'utf8'],
    ['CRLF in Windows 1252', '\r\n', 'windows1252', 'latin1'],
  ] as const) {
    it(`${name} stays so, is one undo step, and all of it survives`, async () => {
      const old = BEFORE.join(eol);
      const path = await fileWith(Buffer.from(old, codec));
      const document = await opened(path, encoding);
      const proposal = nextProposal();
      await accept(proposal);
      const expected = old.slice(0, old.indexOf('def price')) + CODE.replaceAll('\n', eol);
      assert.equal(document.getText(), expected);
      assert.equal(await readFile(path, codec), old);
      await vscode.commands.executeCommand(UNDO);
      await until(() => document.getText() === old);
      await vscode.commands.executeCommand('redo');
      await until(() => document.getText() === expected);
      await save();
      assert.equal(await share(), 1);
      assert.equal(measured[0]?.turn, proposal.turn);
      assert.equal(await readFile(path, codec), expected);
    });
  }

  it('a byte order mark stays', async () => {
    const path = await fileWith(Buffer.from(`\ufeff${BEFORE.join('\n')}`));
    await opened(path);
    await accept(nextProposal());
    await save();
    assert.equal(await share(), 1);
    const bytes = await readFile(path);
    assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
    assert.equal(bytes.toString().lastIndexOf('\ufeff'), 0);
  });

  it('what was typed and not saved is part of it, and comes back with undo', async () => {
    const path = await fileWith(Buffer.from(BEFORE.join('\n')));
    const document = await opened(path);
    const typed = `# not saved\n${BEFORE.join('\n')}`;
    await replace(document, new vscode.Range(0, 0, 0, 0), '# not saved\n');
    await accept(nextProposal());
    assert.ok(document.getText().startsWith('# not saved\n'));
    assert.ok(document.getText().endsWith(CODE));
    assert.equal(await readFile(path, 'utf8'), BEFORE.join('\n'));
    await vscode.commands.executeCommand(UNDO);
    await until(() => document.getText() === typed);
    await save();
    // Taken back before the first save: nothing is left.
    assert.equal(await share(), 0);
    assert.equal(await readFile(path, 'utf8'), typed);
  });

  it('lines that were changed in the diff count as changed', async () => {
    const path = await fileWith(Buffer.from(BEFORE.join('\r\n')));
    const document = await opened(path);
    await accept(nextProposal(), async (right) => {
      const line = right.getText().split(/\r?\n/).indexOf('    y = x * 2');
      await replace(right, right.lineAt(line).range, '    y = x * 3');
    });
    assert.ok(document.getText().includes('    y = x * 3\r\n    return round(y, 2)'));
    await save();
    assert.equal(await share(), 1 / 2);
  });

  it('a save that the editor makes by itself does not count, the first of the developer does, and only that', async () => {
    const files = vscode.workspace.getConfiguration('files');
    const set = async (key: string, value: unknown): Promise<void> => {
      await files.update(key, value, vscode.ConfigurationTarget.Global);
    };
    const path = await fileWith(Buffer.from(BEFORE.join('\n')));
    const document = await opened(path);
    await set('autoSaveDelay', 50);
    await set('autoSave', 'afterDelay');
    try {
      await accept(nextProposal());
      await until(() => !document.isDirty);
      assert.deepEqual(measured, []);
      await set('autoSave', 'off');
      const line = document.getText().split('\n').indexOf('    y = x * 2');
      await replace(document, document.lineAt(line).range, '    y = 2 * x');
      await save();
      assert.equal(await share(), 1 / 2);
      await replace(document, document.lineAt(line).range, '    y = x + x');
      await save();
      await until(() => !document.isDirty);
      assert.equal(measured.length, 1);
    } finally {
      await set('autoSave', undefined);
      await set('autoSaveDelay', undefined);
    }
  });

  it('a file that changed since the proposal was shown is not written', async () => {
    const path = await fileWith(Buffer.from(BEFORE.join('\n')));
    const document = await opened(path);
    await diff.show(nextProposal());
    await replace(document, new vscode.Range(0, 0, 0, 0), '# meanwhile\n');
    const text = document.getText();
    await assert.rejects(diff.accept(), { reason: 'document_changed' });
    assert.equal(document.getText(), text);
    await diff.reject();
  });
});

async function replace(document: vscode.TextDocument, range: vscode.Range, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, text);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

/** Waits for a state, and says so where it does not come. */
async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    assert.ok(Date.now() < end, `It did not come to this: ${holds.toString()}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
