import { inject } from "vitest";
import { StorageHttp, type StorageHttpOptions } from "../../../worker/storage/http.ts";
import { S3Storage } from "../../../worker/storage/s3.ts";
import type { S3SettingsBody } from "../../../worker/storage/settings.ts";
import { type ContractBackend, storageContract } from "./contract.ts";
import { relay } from "./servers/relay.ts";

function http(options: Partial<StorageHttpOptions> = {}): StorageHttp {
  return new StorageHttp({ checkAddress: () => {}, sleep: async () => {}, ...options });
}

function backendOf(settings: S3SettingsBody): ContractBackend {
  const changed = (change: Partial<S3SettingsBody>) => new S3Storage({ ...settings, ...change }, http());
  const { access_key_id, secret_access_key, endpoint } = settings;
  return {
    presigns: true,
    counted: () => {
      let taken = 0;
      const counting = http({
        fetch: async (url, init) => {
          const { body } = init;
          if (!body || typeof body === "string") return fetch(url, init);
          const part = await new Response(body).arrayBuffer();
          const response = await fetch(url, { ...init, body: part });
          if (response.ok) taken += part.byteLength;
          return response;
        },
      });
      return { storage: new S3Storage(settings, counting), taken: () => taken };
    },
    withClock: (now) => new S3Storage(settings, http(), now),
    misconfigured: [
      { fields: ["secret_access_key"], open: () => changed({ secret_access_key: `${secret_access_key}x` }) },
      // Some servers check the signature first, for which they lack this key's secret.
      {
        fields: ["access_key_id", "secret_access_key"],
        open: () =>
          changed({ access_key_id: access_key_id.replace(/.$/, (last) => (last === "x" ? "y" : "x")) }),
      },
      { fields: ["bucket"], open: () => changed({ bucket: "vivimark-no-such-bucket-0d5c1f" }) },
    ],
    // A certificate is valid for the server's own name only.
    line:
      endpoint.startsWith("http:") && settings.style === "path"
        ? async () => {
            const { origin, order } = await relay(new URL(endpoint).origin);
            const { pathname } = new URL(endpoint);
            return {
              storage: changed({ endpoint: origin + pathname }),
              down: () => order({ kind: "down" }),
              up: () => order({ kind: "up" }),
              cutAfter: (afterBytes) => order({ kind: "cut", afterBytes }),
            };
          }
        : undefined,
  };
}

// A folder whose name needs escaping. Another server is tested at the root of its bucket.
const local = { ...inject("localS3"), prefix: "deep/in it, 100%" };
storageContract("S3", () => new S3Storage(local, http()), backendOf(local));

const other = inject("otherS3");
if (other) {
  storageContract(`S3 at ${other.endpoint}`, () => new S3Storage(other, http()), {
    ...backendOf(other),
    namesDownloads: true,
    // See S3Storage.
    decidesRaces: false,
  });
}
