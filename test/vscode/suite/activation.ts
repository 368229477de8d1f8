import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { commands, extensions } from 'vscode';
import { z } from 'zod';

const extension = () => {
  const found = extensions.getExtension('turnwise.turnwise');
  assert.ok(found, 'the extension is there');
  return found;
};

const manifest = z.object({
  contributes: z.object({ commands: z.array(z.object({ command: z.string() })) }),
});

describe('activation', () => {
  it('activates without an error', async () => {
    await extension().activate();
    assert.equal(extension().isActive, true);
  });

  it('registers every command that the manifest promises', async () => {
    await extension().activate();
    const promised = manifest.parse(extension().packageJSON).contributes.commands.map(({ command }) => command);
    const registered = new Set(await commands.getCommands(true));
    assert.deepEqual(
      promised.filter((command) => !registered.has(command)),
      [],
    );
    assert.ok(promised.length > 5);
  });

  it('opens its views', async () => {
    await commands.executeCommand('turnwise.chat.focus');
    await commands.executeCommand('turnwise.episodes.focus');
  });
});
