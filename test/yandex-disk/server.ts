/**
 * A test server for clients of Yandex Disk. It is NOT Yandex Disk: its sources are Yandex's documentation of the REST
 * API (yandex.com/dev/disk-api) and of OAuth (yandex.com/dev/id), public records of exchanges with the real service,
 * and, where both are silent, guesses.
 *
 * Documented: the API's methods, paths and parameters; `Authorization: OAuth …`; errors as {error, description,
 * message}; 201 for folders; the upload link, valid for 30 minutes, and the uploader's statuses 201, 202, 412, 413,
 * 500, 503 and 507; reading a file from an address by an operation; 403 for an account whose files take up more space than it has, and 423 during maintenance, both by
 * their descriptions; the temporary download link; 204 for deleting a file or an empty folder, 202 and an operation for
 * anything longer; the three states of an operation; `_embedded` with 20 items by default; the fields of `/v1/disk`;
 * OAuth's two endpoints, PKCE, and its error codes.
 *
 * Recorded by others: names of errors (DiskNotFoundError, DiskPathDoesntExistsError, …); `operation_id` beside an
 * upload link; the `file` link in a file's description; a path with a colon but no scheme is refused; an upload link is
 * refused (400) when it is used again; uploads and downloads have other hosts than the API, and downloads are
 * redirected from one host to another; the uploader's 201 has no body.
 *
 * Guessed: the names of the errors of those two; which requests find a resource locked; that the downloader honours Range; that its expired links respond
 * with 410; that a move with overwrite=true replaces a folder (the worst case for a client); the order of names, which
 * differs from byte order on purpose; when exactly 507 comes.
 *
 * The server does not depend on the clock: links expire and operations advance when a test asks for it.
 */

import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { type Content, Disk, DiskError, type Operation, type Resource } from "./disk.ts";

/** Stands for cloud-api.yandex.net, for the upload and download hosts, and for oauth.yandex.ru. */
type Host = "api" | "transfer" | "oauth";

/** Changes the responses to the next matching requests. */
interface Fault {
  readonly host: Host;
  readonly method?: string;
  /** Prefix of the request's path. */
  readonly path?: string;
  /** Number of requests; 1 by default. */
  times?: number;
  /** Of the response. `error` makes its body the API's error object. */
  readonly status?: number;
  readonly error?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Destroys the connection after so many bytes of the upload or download. */
  readonly cutAfter?: number;
  /** Performs the request first, and then replaces its response, or without a status, drops it. */
  readonly afterwards?: boolean;
}

interface Behaviour {
  /** Number of polls before an operation ends. */
  operationPolls: number;
  operationsFail: boolean;
  /** Moves and deletes files by an operation too, as with force_async. */
  slowFiles: boolean;
  /** The uploader responds with 202, and the file exists when its operation has ended. */
  slowUploads: boolean;
  /** The downloader always sends the whole file. */
  ignoresRanges: boolean;
  /** Leaves out the `file` link of files, as for a token that may not read them. */
  hidesFileLinks: boolean;
  totalSpace: number;
  maxFileSize: number;
  /** The files take up more space than the account has, because a subscription ended: reading only. */
  overdrawn: boolean;
  /** Reading only, for technical reasons. */
  maintenance: boolean;
  /** Destroys every connection at once. */
  down: boolean;
}

/** A request that the server received. */
interface Seen {
  readonly host: Host;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Record<string, string>;
}

export interface YandexDiskServer {
  readonly apiUrl: string;
  readonly oauthUrl: string;
  readonly transferUrl: string;
  /**
   * The methods below over HTTP, for tests in another process: POST /faults (one fault), PUT /behaviour (some
   * fields), GET /seen, POST /expire-links, POST /reset.
   */
  readonly controlUrl: string;
  /** Has rights to the whole Disk. */
  readonly token: string;
  /** Has rights to the app folder only. */
  readonly appToken: string;
  readonly clientId: string;
  readonly clientSecret: string;
  fault(fault: Fault): void;
  behave(changes: Partial<Behaviour>): void;
  readonly seen: readonly Seen[];
  /** Invalidates all upload and download links. */
  expireLinks(): void;
  /** Restores the initial state, except for files and tokens. */
  reset(): void;
  close(): Promise<void>;
}

const DEFAULT_BEHAVIOUR: Behaviour = {
  operationPolls: 1,
  operationsFail: false,
  slowFiles: false,
  slowUploads: false,
  ignoresRanges: false,
  hidesFileLinks: false,
  totalSpace: 10 * 2 ** 30,
  maxFileSize: 2 ** 30,
  overdrawn: false,
  maintenance: false,
  down: false,
};

interface Token {
  readonly appOnly: boolean;
}

interface UploadLink {
  readonly path: string;
  readonly operationId: string;
  used: boolean;
}

interface Authorization {
  readonly redirectUri: string;
  readonly challenge: string | null;
}

/** Starts the hosts on free ports of the loopback interface. */
export async function startYandexDisk(): Promise<YandexDiskServer> {
  const folder = await mkdtemp(join(tmpdir(), "yandex-disk-"));
  const disk = new Disk();
  const behaviour: Behaviour = { ...DEFAULT_BEHAVIOUR };
  const faults: Fault[] = [];
  const seen: Seen[] = [];
  const uploadLinks = new Map<string, UploadLink>();
  let generation = 0;
  /** The states of operations that read a file from an address. */
  const fetches = new Map<string, "in-progress" | "success" | "failed">();
  const downloadLinks = new Map<string, { content: Content; name: string }>();
  const token = `y0_${randomUUID()}`;
  const appToken = `y0_${randomUUID()}`;
  const tokens = new Map<string, Token>([
    [token, { appOnly: false }],
    [appToken, { appOnly: true }],
  ]);
  const clientId = randomUUID().replaceAll("-", "");
  const clientSecret = randomUUID().replaceAll("-", "");
  const codes = new Map<string, Authorization>();
  const refreshTokens = new Set<string>();
  const servers: Server[] = [];

  // The API

  const apiRoutes: Record<string, (query: URLSearchParams, token: Token) => Answer> = {
    "GET /v1/disk": () => ({
      status: 200,
      body: {
        total_space: behaviour.totalSpace,
        used_space: disk.usedSpace,
        trash_size: 0,
        max_file_size: behaviour.maxFileSize,
        is_paid: false,
        system_folders: { applications: "disk:/Приложения", downloads: "disk:/Загрузки/" },
      },
    }),

    "GET /v1/disk/resources": (query, { appOnly }) => {
      const path = disk.resolve(query.get("path"), appOnly);
      const resource = disk.get(path);
      return { status: 200, body: pick(describe(path, resource, query), query.get("fields")) };
    },

    "PUT /v1/disk/resources": (query, { appOnly }) => {
      const path = disk.resolve(query.get("path"), appOnly);
      disk.createFolder(path);
      return { status: 201, body: linkTo(path) };
    },

    "DELETE /v1/disk/resources": (query, { appOnly }) => {
      const path = disk.resolve(query.get("path"), appOnly);
      const { content } = disk.get(path);
      disk.checkLocks(path);
      if (query.get("permanently") !== "true") {
        throw new DiskError(501, "NotImplemented", "This test server has no trash.");
      }
      const md5 = query.get("md5");
      if (md5 && md5 !== content?.md5) throw new DiskError(409, "MD5DifferError", "MD5 checksum differs.");
      const slow =
        content === null
          ? disk.children(path).length > 0
          : behaviour.slowFiles || isTrue(query, "force_async");
      if (slow) return begin([path], () => disk.delete(path));
      disk.delete(path);
      return { status: 204 };
    },

    "POST /v1/disk/resources/move": (query, token) => relocate(query, token, false),
    "POST /v1/disk/resources/copy": (query, token) => relocate(query, token, true),

    "GET /v1/disk/resources/upload": (query, { appOnly }) => {
      const path = disk.resolve(query.get("path"), appOnly);
      disk.checkUpload(path, isTrue(query, "overwrite"));
      if (disk.usedSpace >= behaviour.totalSpace) throw noSpace();
      const id = randomUUID();
      const operationId = randomUUID().replaceAll("-", "");
      uploadLinks.set(id, { path, operationId, used: false });
      const href = `${address("transfer")}/upload-target/${id}`;
      return { status: 200, body: { operation_id: operationId, href, method: "PUT", templated: false } };
    },

    "POST /v1/disk/resources/upload": (query, { appOnly }) => {
      const path = disk.resolve(query.get("path"), appOnly);
      disk.checkUpload(path, false);
      const id = randomUUID().replaceAll("-", "");
      fetches.set(id, "in-progress");
      fetchFile(query.get("url") ?? "").then(
        (content) => {
          disk.write(path, content);
          fetches.set(id, "success");
        },
        () => fetches.set(id, "failed"),
      );
      const href = `${address("api")}/v1/disk/operations/${id}`;
      return { status: 202, body: { href, method: "GET", templated: false } };
    },

    "GET /v1/disk/resources/download": (query, { appOnly }) => {
      const path = disk.resolve(query.get("path"), appOnly);
      const { content } = disk.get(path);
      if (!content) throw new DiskError(501, "NotImplemented", "This test server packs no folders.");
      return { status: 200, body: { href: downloadLink(path, content), method: "GET", templated: false } };
    },

    "GET /v1/disk/operations": (query) => status(query.get("id") ?? ""),
  };

  function relocate(query: URLSearchParams, { appOnly }: Token, keep: boolean): Answer {
    const from = disk.resolve(query.get("from"), appOnly);
    const to = disk.resolve(query.get("path"), appOnly);
    disk.checkMove(from, to, isTrue(query, "overwrite"));
    const slow =
      isTrue(query, "force_async") ||
      (disk.get(from).content ? behaviour.slowFiles : disk.children(from).length > 0);
    if (slow) return begin([from, to], () => disk.move(from, to, keep));
    disk.move(from, to, keep);
    return { status: 201, body: linkTo(to) };
  }

  function begin(paths: string[], apply: () => void): Answer {
    const { id } = disk.start({
      paths,
      apply,
      pollsLeft: behaviour.operationPolls,
      fails: behaviour.operationsFail,
    });
    const href = `${address("api")}/v1/disk/operations/${id}`;
    return { status: 202, body: { href, method: "GET", templated: false } };
  }

  function status(id: string): Answer {
    const fetched = fetches.get(id);
    if (fetched) return { status: 200, body: { status: fetched } };
    const waiting = [...uploadLinks.values()].some((link) => link.operationId === id);
    let operation: Operation | { status: string };
    try {
      operation = disk.poll(id);
    } catch (error) {
      if (!waiting) throw error;
      operation = { status: "in-progress" };
    }
    return { status: 200, body: { status: operation.status } };
  }

  function linkTo(path: string): object {
    const href = `${address("api")}/v1/disk/resources?path=${encodeURIComponent(`disk:${path}`)}`;
    return { href, method: "GET", templated: false };
  }

  function downloadLink(path: string, content: Content): string {
    const id = `${generation}-${content.id}`;
    const name = path.slice(path.lastIndexOf("/") + 1);
    downloadLinks.set(id, { content, name });
    const query = new URLSearchParams({
      filename: name,
      disposition: "attachment",
      fsize: `${content.size}`,
    });
    return `${address("transfer")}/disk/${id}?${query}`;
  }

  function describe(path: string, resource: Resource, query?: URLSearchParams): object {
    const { id, content, created, modified } = resource;
    return {
      name: path === "/" ? "disk" : path.slice(path.lastIndexOf("/") + 1),
      path: `disk:${path}`,
      type: content ? "file" : "dir",
      created: stamp(created),
      modified: stamp(modified),
      resource_id: `1:${id}`,
      revision: modified.getTime() * 1000,
      exif: {},
      ...(content && {
        size: content.size,
        md5: content.md5,
        sha256: content.sha256,
        mime_type: "application/octet-stream",
        media_type: "unknown",
        antivirus_status: "clean",
        ...(!behaviour.hidesFileLinks && { file: downloadLink(path, content) }),
      }),
      ...(!content && query && { _embedded: embedded(path, query) }),
    };
  }

  function embedded(path: string, query: URLSearchParams): object {
    const limit = Number(query.get("limit") ?? 20);
    const offset = Number(query.get("offset") ?? 0);
    const sort = query.get("sort") ?? "";
    if (!Number.isInteger(limit) || limit < 0 || !Number.isInteger(offset) || offset < 0) {
      throw new DiskError(400, "FieldValidationError", 'Error validating field "limit" or "offset".');
    }
    const children = disk.children(path);
    const order = ORDERS[sort.replace("-", "")];
    if (order) children.sort(order);
    if (sort.startsWith("-")) children.reverse();
    const items = children
      .slice(offset, offset + limit)
      .map(([child, resource]) => describe(child, resource));
    return { sort, items, limit, offset, path: `disk:${path}`, total: children.length };
  }

  async function api(request: IncomingMessage, url: URL): Promise<Answer> {
    const [, value] = (request.headers.authorization ?? "").match(/^OAuth (.+)$/) ?? [];
    const token = tokens.get(value ?? "");
    if (!token) throw new DiskError(401, "UnauthorizedError", "Unauthorized");
    const [, operation] = url.pathname.match(/^\/v1\/disk\/operations\/(.+)$/) ?? [];
    if (operation && request.method === "GET") return status(operation);
    const route = apiRoutes[`${request.method} ${url.pathname.replace(/\/$/, "")}`];
    if (!route) throw new DiskError(404, "NotFoundError", "Not Found");
    const adds = request.method === "PUT" || request.method === "POST" || url.pathname.endsWith("/upload");
    if (behaviour.maintenance && (adds || request.method === "DELETE")) throw inMaintenance();
    if (behaviour.overdrawn && adds) throw overdrawn();
    return route(url.searchParams, token);
  }

  // The upload and download hosts

  async function transfer(
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
    cutAfter?: number,
  ): Promise<Answer | "sent"> {
    const [, kind, id] = url.pathname.match(/^\/(upload-target|disk|rdisk)\/([^/]+)$/) ?? [];
    if (kind === "upload-target" && request.method === "PUT") return receive(request, id, cutAfter);
    const link = downloadLinks.get(id);
    if (kind === undefined || kind === "upload-target") return { status: 404, body: "Not found" };
    if (!link) return { status: 410, body: "Gone" };
    if (request.method !== "GET" && request.method !== "HEAD")
      return { status: 405, body: "Method not allowed" };
    if (kind === "disk") {
      const location = `${address("transfer")}/rdisk/${id}${url.search}`;
      return { status: 302, headers: { location } };
    }
    await send(request, response, link.content, link.name, cutAfter);
    return "sent";
  }

  /** Writes bytes to a file. */
  async function store(source: Readable, cutAfter?: number): Promise<Content> {
    const file = join(folder, randomUUID());
    const md5 = createHash("md5");
    const sha256 = createHash("sha256");
    let size = 0;
    try {
      await pipeline(
        source,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            size += chunk.length;
            if (cutAfter !== undefined && size >= cutAfter) throw new Error("cut");
            md5.update(chunk);
            sha256.update(chunk);
            yield chunk;
          }
        },
        createWriteStream(file),
      );
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return { id: randomUUID(), file, size, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
  }

  async function fetchFile(url: string): Promise<Content> {
    const { ok, body } = await fetch(url);
    if (!ok || !body) throw new Error("The address has no file.");
    return store(Readable.fromWeb(body as ReadableStream<Uint8Array>));
  }

  async function receive(request: IncomingMessage, id: string, cutAfter?: number): Promise<Answer> {
    const link = uploadLinks.get(id);
    if (!link || link.used) return { status: link ? 400 : 404, body: "Bad upload link" };
    link.used = true;
    const announced = request.headers["content-length"];
    const free = behaviour.totalSpace - disk.usedSpace;
    if (request.headers["content-range"]) return { status: 412, body: "" };
    if (announced !== undefined && Number(announced) > behaviour.maxFileSize)
      return { status: 413, body: "" };
    if (announced !== undefined && Number(announced) > free) return { status: 507, body: "" };

    const content = await store(request, cutAfter);
    const { file, size } = content;
    if (size > behaviour.totalSpace - disk.usedSpace) {
      await rm(file);
      return { status: 507, body: "" };
    }
    const { path, operationId } = link;
    const operation = disk.start(
      {
        paths: [],
        apply: () => disk.write(path, content),
        pollsLeft: behaviour.slowUploads ? behaviour.operationPolls : -1,
        fails: behaviour.slowUploads && behaviour.operationsFail,
      },
      operationId,
    );
    if (behaviour.slowUploads) return { status: 202, body: "" };
    disk.poll(operation.id);
    return { status: 201, body: "" };
  }

  async function send(
    request: IncomingMessage,
    response: ServerResponse,
    { file, size, md5 }: Content,
    name: string,
    cutAfter?: number,
  ): Promise<void> {
    const opened = await open(file).catch(() => null);
    if (!opened) {
      // The file was replaced or deleted after the link was issued.
      response.writeHead(404).end();
      return;
    }
    const headers: Record<string, string | number> = {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      "accept-ranges": "bytes",
      etag: `"${md5}"`,
    };
    let start = 0;
    let end = size - 1;
    let status = 200;
    const [, first, last] = (request.headers.range ?? "").match(/^bytes=(\d*)-(\d*)$/) ?? [];
    if (first !== undefined && !behaviour.ignoresRanges) {
      start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
      if (first !== "" && last !== "") end = Math.min(end, Number(last));
      if (start > end) {
        response.writeHead(416, { "content-range": `bytes */${size}` }).end();
        await opened.close();
        return;
      }
      status = 206;
      headers["content-range"] = `bytes ${start}-${end}/${size}`;
    }
    response.writeHead(status, { ...headers, "content-length": end - start + 1 });
    if (request.method === "HEAD" || size === 0) {
      response.end();
      await opened.close();
      return;
    }
    let sent = 0;
    await pipeline(
      opened.createReadStream({ start, end, highWaterMark: 64 * 1024 }),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          sent += chunk.length;
          if (cutAfter !== undefined && sent > cutAfter) response.destroy();
          yield chunk;
        }
      },
      response,
    ).catch(() => undefined); // the client went away, or was cut off
  }

  // OAuth

  async function oauth(request: IncomingMessage, url: URL): Promise<Answer> {
    if (request.method === "GET" && url.pathname === "/authorize") return authorize(url.searchParams);
    if (request.method !== "POST" || url.pathname !== "/token") return { status: 404, body: "Not found" };
    const form = new URLSearchParams(await text(request));
    const [, basic] = (request.headers.authorization ?? "").match(/^Basic (.+)$/) ?? [];
    const [id, secret] = basic
      ? Buffer.from(basic, "base64").toString().split(":")
      : [form.get("client_id"), form.get("client_secret")];
    const refuse = (error: string, description: string): Answer => ({
      status: 400,
      body: { error, error_description: description },
    });
    if (!id) return refuse("invalid_request", "client_id not in POST");
    if (id !== clientId) return refuse("invalid_client", "Client not found");
    if (form.get("grant_type") === "refresh_token") {
      if (secret !== clientSecret) return refuse("invalid_client", "Wrong client secret");
      if (!refreshTokens.delete(form.get("refresh_token") ?? "")) {
        return refuse("invalid_grant", "expired_token");
      }
      return grant();
    }
    if (form.get("grant_type") !== "authorization_code") {
      return refuse("unsupported_grant_type", "unknown grant_type");
    }
    const code = form.get("code") ?? "";
    const asked = codes.get(code);
    if (!/^[0-9a-z]{16}$/.test(code)) return refuse("bad_verification_code", "Invalid code");
    if (!asked) return refuse("invalid_grant", "Code has expired");
    codes.delete(code);
    if (asked.challenge !== null) {
      const verifier = form.get("code_verifier") ?? "";
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      if (challenge !== asked.challenge) return refuse("invalid_grant", "code_verifier not matched");
    } else if (secret !== clientSecret) return refuse("invalid_client", "Wrong client secret");
    return grant();
  }

  /** Permits the access at once. */
  function authorize(query: URLSearchParams): Answer {
    const redirectUri = query.get("redirect_uri");
    if (query.get("client_id") !== clientId || query.get("response_type") !== "code" || !redirectUri) {
      return {
        status: 400,
        body: "The application is unknown, or its request is invalid.",
      };
    }
    const code = randomUUID().replaceAll("-", "").slice(0, 16);
    codes.set(code, { redirectUri, challenge: query.get("code_challenge") });
    const location = new URL(redirectUri);
    location.searchParams.set("code", code);
    const state = query.get("state");
    if (state !== null) location.searchParams.set("state", state);
    return { status: 302, headers: { location: location.href } };
  }

  function grant(): Answer {
    const access = `y0_${randomUUID()}`;
    const refresh = `1:${randomUUID()}`;
    tokens.set(access, { appOnly: true });
    refreshTokens.add(refresh);
    return {
      status: 200,
      body: { token_type: "bearer", access_token: access, expires_in: 31_536_000, refresh_token: refresh },
    };
  }

  // Control by tests

  const control: Omit<YandexDiskServer, "apiUrl" | "oauthUrl" | "transferUrl" | "controlUrl"> = {
    token,
    appToken,
    clientId,
    clientSecret,
    seen,
    fault: (fault) => void faults.push({ ...fault }),
    behave: (changes) => void Object.assign(behaviour, changes),
    expireLinks: () => {
      uploadLinks.clear();
      downloadLinks.clear();
      generation++;
    },
    reset: () => {
      faults.length = 0;
      seen.length = 0;
      Object.assign(behaviour, DEFAULT_BEHAVIOUR);
    },
    close: async () => {
      await Promise.all(
        servers.map((server) => {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          return closed;
        }),
      );
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function controlOverHttp(request: IncomingMessage, url: URL): Promise<Answer> {
    const body = await text(request);
    const command = body ? JSON.parse(body) : {};
    if (url.pathname === "/faults") control.fault(command);
    else if (url.pathname === "/behaviour") control.behave(command);
    else if (url.pathname === "/expire-links") control.expireLinks();
    else if (url.pathname === "/reset") control.reset();
    else if (url.pathname !== "/seen") return { status: 404, body: "Not found" };
    return { status: 200, body: seen };
  }

  // The hosts

  type Handler = (
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
    cutAfter?: number,
  ) => Promise<Answer | "sent">;

  const handlers: Record<Host | "control", Handler> = { api, transfer, oauth, control: controlOverHttp };

  async function handle(host: Host | "control", request: IncomingMessage, response: ServerResponse) {
    const { socket } = request;
    const url = new URL(request.url ?? "/", address(host));
    const fault = host === "control" ? undefined : takeFault(host, request, url);
    if (host !== "control") {
      if (behaviour.down) return socket.destroy();
      const headers = request.headers as Record<string, string>;
      seen.push({ host, method: request.method ?? "", path: url.pathname + url.search, headers });
    }
    const isReplaced = fault && !fault.afterwards && fault.cutAfter === undefined;
    let answer: Answer | "sent";
    try {
      answer = isReplaced ? answerOf(fault) : await handlers[host](request, url, response, fault?.cutAfter);
    } catch (error) {
      if (!(error instanceof DiskError)) return socket.destroy();
      answer = refusal(error.status, error.error, error.message);
    }
    if (answer === "sent") return;
    if (fault?.afterwards) {
      if (fault.status === undefined) return socket.destroy();
      answer = answerOf(fault);
    }
    // Reads the rest of the request, so that the client receives the response.
    request.resume();
    const body =
      answer.body === undefined
        ? ""
        : typeof answer.body === "string"
          ? answer.body
          : JSON.stringify(answer.body);
    const type = typeof answer.body === "string" ? "text/plain" : "application/json; charset=utf-8";
    response.writeHead(answer.status, { "content-type": type, ...answer.headers }).end(body);
  }

  function takeFault(host: Host, request: IncomingMessage, url: URL): Fault | undefined {
    const index = faults.findIndex(
      (fault) =>
        fault.host === host &&
        (fault.method ?? request.method) === request.method &&
        url.pathname.startsWith(fault.path ?? "/"),
    );
    const fault = faults[index];
    if (fault && (fault.times = (fault.times ?? 1) - 1) <= 0) faults.splice(index, 1);
    return fault;
  }

  async function listen(host: Host | "control"): Promise<void> {
    const server = createServer((request, response) => {
      request.on("error", () => undefined);
      void handle(host, request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    ports[host] = (server.address() as AddressInfo).port;
  }

  const ports: Partial<Record<Host | "control", number>> = {};
  const address = (host: Host | "control") => `http://127.0.0.1:${ports[host]}`;
  for (const host of ["api", "transfer", "oauth", "control"] as const) await listen(host);
  return {
    ...control,
    apiUrl: address("api"),
    oauthUrl: address("oauth"),
    transferUrl: address("transfer"),
    controlUrl: address("control"),
  };
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

function answerOf({ status = 500, error, headers = {}, body }: Fault): Answer {
  return error === undefined
    ? { status, headers, body: body ?? "" }
    : { ...refusal(status, error, error), headers };
}

function refusal(status: number, error: string, description: string): Answer {
  return { status, body: { error, description, message: `Не удалось: ${description}` } };
}

function noSpace(): DiskError {
  return new DiskError(507, "DiskStorageQuotaExhaustedError", "There is not enough free space.");
}

function overdrawn(): DiskError {
  return new DiskError(
    403,
    "ForbiddenError",
    "API is not available. Your files take up more space than you have. Delete some or get more space.",
  );
}

function inMaintenance(): DiskError {
  return new DiskError(
    423,
    "LockedError",
    "Technical works. For now, you can only view and download your files.",
  );
}

type Entry = [path: string, resource: Resource];
const collator = new Intl.Collator("ru", { numeric: true });
const ORDERS: Record<string, (a: Entry, b: Entry) => number> = {
  name: (a, b) => collator.compare(a[0], b[0]),
  path: (a, b) => collator.compare(a[0], b[0]),
  created: (a, b) => Number(a[1].created) - Number(b[1].created),
  modified: (a, b) => Number(a[1].modified) - Number(b[1].modified),
  size: (a, b) => (a[1].content?.size ?? 0) - (b[1].content?.size ?? 0),
};

/** Returns a time in whole seconds with an offset: `2026-08-21T21:09:14+00:00`. */
function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}+00:00`;
}

function isTrue(query: URLSearchParams, name: string): boolean {
  return query.get(name) === "true";
}

/** Returns only the fields that `fields` names, such as `name,_embedded.items.path`. */
function pick(value: unknown, fields: string | null): unknown {
  if (fields === null) return value;
  const wanted = new Map<string, string[]>();
  for (const field of fields.split(",")) {
    const [name, ...rest] = field.split(".");
    wanted.set(name, [...(wanted.get(name) ?? []), ...(rest.length > 0 ? [rest.join(".")] : [])]);
  }
  const from = (object: unknown): unknown => {
    if (Array.isArray(object)) return object.map(from);
    if (typeof object !== "object" || object === null) return object;
    return Object.fromEntries(
      Object.entries(object)
        .filter(([name]) => wanted.has(name))
        .map(([name, member]) => {
          const inner = wanted.get(name)!;
          return [name, inner.length > 0 ? pick(member, inner.join(",")) : member];
        }),
    );
  };
  return from(value);
}
