import type { S3SettingsBody } from "../../worker/storage/settings.ts";

/** The values that the global setups provide to the tests. */
declare module "vitest" {
  interface ProvidedContext {
    /** A JPEG file, base64. */
    photo: string;
    /** In hexadecimal. */
    markerSha256: string;
    /** The origin of the server that plays the scripts of faulty.ts. */
    faultyServer: string;
    /** The origin of the server that reports the requests that it has seen. */
    faultyServerLog: string;
    /** The origin of the server that controls the relays of relay.ts. */
    relayControl: string;
    /** The S3 endpoint of wrangler's local bucket. */
    localS3: S3SettingsBody;
    /** Another S3 server, if the environment names one. */
    otherS3: S3SettingsBody | null;
    /** The test server of Yandex Disk. */
    yandexDisk: {
      readonly apiUrl: string;
      readonly transferUrl: string;
      readonly oauthUrl: string;
      readonly controlUrl: string;
      readonly token: string;
      readonly appToken: string;
      readonly clientId: string;
      readonly clientSecret: string;
    };
  }
}
