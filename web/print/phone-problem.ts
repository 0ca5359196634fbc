/** Why no phone can use a code with this address; null if phones can. */
export function phoneProblem(address: string): "localhost" | "http" | null {
  const { protocol, hostname } = new URL(address);
  if (/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/.test(hostname)) return "localhost";
  return protocol === "https:" ? null : "http";
}
