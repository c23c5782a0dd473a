/** save hands bytes to the browser as a file, as they are. */
export function save(bytes: Uint8Array, name: string, type = 'application/json'): void {
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
