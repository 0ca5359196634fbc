import { parseArgs } from "node:util";
import { StartError } from "../start/processes.ts";

/** The command line of `npm run deploy`. */
export interface Options {
  /** The id of the Cloudflare account. */
  readonly account: string | undefined;
  /** As `checkAddress` returns it. */
  readonly address: string | undefined;
  /** As `checkCompiler` returns it. */
  readonly compiler: string | undefined;
  /** More variables of the Worker, as NAME:VALUE. */
  readonly variables: readonly string[];
  readonly isDryRun: boolean;
}

/** Throws a StartError for an unknown option and for an invalid value. */
export function readOptions(args: readonly string[]): Options {
  const { account, address, compiler, var: variables = [], "dry-run": isDryRun = false } = parse(args);
  for (const variable of variables) {
    if (!/^[A-Z][A-Z0-9_]*:/.test(variable))
      throw new StartError(
        `--var is "${variable}"; expected NAME:VALUE, such as MAIL_URL:https://mail.example.com.`,
      );
  }
  return {
    account,
    address: address === undefined ? undefined : checkAddress(address),
    compiler: compiler === undefined ? undefined : checkCompiler(compiler),
    variables,
    isDryRun,
  };
}

/** Returns an origin such as `https://ar.example.com`, also for its host alone; "" for the workers.dev address. */
export function checkAddress(text: string): string {
  const address = text.trim().replace(/\/+$/, "");
  if (address === "") return "";
  const origin = originOf(address.includes("://") ? address : `https://${address}`);
  if (origin) return origin;
  throw new StartError(
    `The address is "${text}"; expected one such as https://ar.example.com, without a path.`,
  );
}

/** Returns the origin of a Node compiler, `container` or `none`. Empty: `container`. */
export function checkCompiler(text: string): string {
  const compiler = text.trim().replace(/\/+$/, "");
  if (compiler === "") return "container";
  if (compiler === "none" || compiler === "container") return compiler;
  const origin = originOf(compiler);
  if (origin) return origin;
  throw new StartError(
    `The Node compiler is "${text}"; expected "container", "none", or an address such as https://compiler.example.com.`,
  );
}

function originOf(address: string): string | null {
  const url = URL.parse(address);
  return url?.protocol === "https:" && url.origin === address.toLowerCase() ? url.origin : null;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        account: { type: "string" },
        address: { type: "string" },
        compiler: { type: "string" },
        var: { type: "string", multiple: true },
        "dry-run": { type: "boolean" },
      },
    }).values;
  } catch (error) {
    const usage =
      "npm run deploy -- [--account ID] [--address URL] [--compiler container|none|URL] [--var NAME:VALUE] [--dry-run]";
    throw new StartError(`${(error as Error).message}\n\nUsage: ${usage}`);
  }
}
