import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { pageLanguage, pageWords } from './page-words.ts';

/** The page of a webview, around its one element: scripts only with this page's nonce, styles and fonts only from the extension, nothing from anywhere else. */
export function webviewPage(webview: vscode.Webview, assets: vscode.Uri, name: 'chat' | 'review'): string {
  const nonce = randomBytes(16).toString('base64url');
  const asset = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(assets, name)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${pageLanguage()}">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="stylesheet" href="${asset(`${name}.css`)}" />
    <title>Turnwise</title>
  </head>
  <body>
    <tw-${name}></tw-${name}>
    ${pageWords()}
    <script nonce="${nonce}" src="${asset(`${name}.js`)}"></script>
  </body>
</html>`;
}
