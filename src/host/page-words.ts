import * as vscode from 'vscode';

/**
 * The words of the editor's language for a page, as a block of data that its `t` reads; it stands in front of the page's
 * script. English, or a language without a translation: nothing.
 */
export function pageWords(): string {
  const { bundle } = vscode.l10n;
  if (bundle === undefined) return '';
  // A `<` could end the block.
  const text = JSON.stringify(bundle).replaceAll('<', String.raw`\u003c`);
  return `<script type="application/json" id="l10n">${text}</script>`;
}

/** The language that a page is written in, for screen readers. */
export function pageLanguage(): string {
  return vscode.l10n.bundle === undefined ? 'en' : vscode.env.language;
}
