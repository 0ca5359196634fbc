import { inject } from "vitest";
import { StorageHttp } from "../../worker/storage/http.ts";
import { S3Storage } from "../../worker/storage/s3.ts";
import { storageContract } from "./storage-contract.ts";

const http = new StorageHttp({ checkAddress: () => {} });
storageContract("S3", () => new S3Storage(inject("localS3"), http));
