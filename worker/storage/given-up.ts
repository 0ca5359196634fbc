import { type ListPage, StorageError, type StorageProvider, type Usage } from "./provider.ts";

/**
 * The storage of a connection whose files were given up, because the bucket or the access to it is lost. It has no
 * files, accepts none, and deletes whatever it is asked to: rows that wait for that are freed.
 */
export const givenUpStorage: StorageProvider = {
  multipart: null,
  upload: async () => {
    throw new StorageError("invalid_config", "The files of this storage connection were given up.");
  },
  download: async () => null,
  head: async () => null,
  delete: async () => {},
  deleteTree: async () => {},
  list: async (): Promise<ListPage> => ({ objects: [], folders: [], cursor: null }),
  createFolder: async () => {},
  usage: async (): Promise<Usage> => ({ objects: 0, bytes: 0 }),
  quota: async () => null,
  presignedUrl: async () => null,
  presignedUpload: async () => null,
};
