import { env } from "cloudflare:workers";
import { R2Storage } from "../../worker/storage/r2.ts";
import { storageContract } from "./storage-contract.ts";

storageContract("R2", () => new R2Storage(env.BUCKET));
