/** Names of files that hold secrets by custom: never shown to a model, whoever asks. */
const SECRET =
  /^(?:\.env(?:\..+)?|\.envrc|\.netrc|_netrc|\.npmrc|\.pypirc|\.pgpass|\.htpasswd|\.git-credentials|credentials(?:\.\w+)?|secrets?\.(?:ya?ml|json|toml)|id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg))$/i;
/** A template that shows how such a file looks holds none. */
const EXAMPLE = /\.(?:example|sample|template|dist)$/i;
const SECRET_FOLDERS = new Set(['.git', '.ssh', '.aws', '.gnupg', '.azure', '.kube', '.docker']);

/** Whether a path (folders apart by `/`) names a place that holds secrets by custom. */
export function holdsSecrets(path: string): boolean {
  const parts = path.split('/');
  const name = parts.at(-1) ?? '';
  return parts.some((part) => SECRET_FOLDERS.has(part.toLowerCase())) || (SECRET.test(name) && !EXAMPLE.test(name));
}
