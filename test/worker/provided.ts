import type { S3SettingsBody } from "../../worker/storage/settings.ts";

/** What the global setups hand to the tests. */
declare module "vitest" {
  interface ProvidedContext {
    /** A JPEG file, base64. */
    photo: string;
    /** Hexadecimal. */
    markerSha256: string;
    /** Origin of the server that plays the scripts of faulty.ts. */
    faultyServer: string;
    /** Origin of the server that tells what it has seen. */
    faultyServerLog: string;
    /** Origin of the server that opens and cuts the lines of relay.ts. */
    relayControl: string;
    /** The S3 endpoint of wrangler's local bucket. */
    localS3: S3SettingsBody;
    /** Any other S3 server that the environment names. */
    otherS3: S3SettingsBody | null;
    /** The server that stands for Yandex Disk. */
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
