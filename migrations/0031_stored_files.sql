CREATE TABLE `move_counts` (
	`migration_id` text NOT NULL,
	`state` text NOT NULL,
	`files` integer NOT NULL,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`migration_id`, `state`),
	FOREIGN KEY (`migration_id`) REFERENCES `storage_migrations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `stored_files` (
	`company_id` text NOT NULL,
	`storage_id` text NOT NULL,
	`is_deleted` integer NOT NULL,
	`files` integer NOT NULL,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`company_id`, `storage_id`, `is_deleted`),
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
DROP INDEX `orphaned_files_storage`;--> statement-breakpoint
DROP INDEX `orphaned_files_due`;--> statement-breakpoint
ALTER TABLE `orphaned_files` ADD `bytes` integer;--> statement-breakpoint
CREATE INDEX `orphaned_files_content` ON `orphaned_files` (`content_id`);--> statement-breakpoint
CREATE INDEX `orphaned_files_storage` ON `orphaned_files` (`storage_id`,`due_at`);--> statement-breakpoint
CREATE INDEX `orphaned_files_due` ON `orphaned_files` (`company_id`,`due_at`);--> statement-breakpoint
ALTER TABLE `ar_content` ADD `thumbnail_bytes` integer;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `qr_code_bytes` integer;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `removed_at` integer;--> statement-breakpoint
CREATE INDEX `ar_content_unknown_size` ON `ar_content` (`id`) WHERE deleted_at IS NULL AND ((thumbnail_path IS NOT NULL AND thumbnail_bytes IS NULL) OR (qr_code_path IS NOT NULL AND qr_code_bytes IS NULL));--> statement-breakpoint
CREATE INDEX `file_moves_shown` ON `file_moves` (`migration_id`,`state`) WHERE state IN ('copying', 'failed');
--> statement-breakpoint
-- The files in each storage, counted in the transaction of each change (worker/storage/connection-store.ts).
INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
  SELECT company_id, storage_id, 0, count(*), sum(bytes) FROM (
    SELECT company_id, coalesce(image_storage_id, '') AS storage_id, image_bytes AS bytes FROM ar_content WHERE image_path IS NOT NULL
    UNION ALL SELECT company_id, coalesce(thumbnail_storage_id, '') AS storage_id, coalesce(thumbnail_bytes, 0) AS bytes FROM ar_content WHERE thumbnail_path IS NOT NULL
    UNION ALL SELECT company_id, coalesce(marker_storage_id, '') AS storage_id, coalesce(json_extract(marker_metadata, '$.bytes'), 0) AS bytes FROM ar_content WHERE marker_path IS NOT NULL
    UNION ALL SELECT company_id, coalesce(video_storage_id, '') AS storage_id, coalesce(video_bytes, 0) AS bytes FROM ar_content WHERE video_path IS NOT NULL
    UNION ALL SELECT company_id, coalesce(qr_code_storage_id, '') AS storage_id, coalesce(qr_code_bytes, 0) AS bytes FROM ar_content WHERE qr_code_path IS NOT NULL
  ) GROUP BY 1, 2;
--> statement-breakpoint
INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
  SELECT company_id, coalesce(storage_id, ''), 1, count(*), 0 FROM orphaned_files WHERE is_reserved = 0 GROUP BY 1, 2;
--> statement-breakpoint
CREATE TRIGGER stored_files_inserted AFTER INSERT ON ar_content BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    SELECT company_id, storage_id, is_deleted, sum(files), sum(bytes) FROM (
      SELECT NULL AS company_id, NULL AS storage_id, NULL AS is_deleted, 0 AS files, 0 AS bytes UNION ALL VALUES
      (new.company_id, coalesce(new.image_storage_id, ''), new.removed_at IS NOT NULL, (new.image_path IS NOT NULL), new.image_bytes),
      (new.company_id, coalesce(new.thumbnail_storage_id, ''), new.removed_at IS NOT NULL, (new.thumbnail_path IS NOT NULL), iif(new.thumbnail_path IS NULL, 0, coalesce(new.thumbnail_bytes, 0))),
      (new.company_id, coalesce(new.marker_storage_id, ''), new.removed_at IS NOT NULL, (new.marker_path IS NOT NULL), iif(new.marker_path IS NULL, 0, coalesce(json_extract(new.marker_metadata, '$.bytes'), 0))),
      (new.company_id, coalesce(new.video_storage_id, ''), new.removed_at IS NOT NULL, (new.video_path IS NOT NULL), iif(new.video_path IS NULL, 0, coalesce(new.video_bytes, 0))),
      (new.company_id, coalesce(new.qr_code_storage_id, ''), new.removed_at IS NOT NULL, (new.qr_code_path IS NOT NULL), iif(new.qr_code_path IS NULL, 0, coalesce(new.qr_code_bytes, 0))))
    WHERE company_id IS NOT NULL GROUP BY 1, 2, 3 HAVING sum(files) <> 0 OR sum(bytes) <> 0
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + excluded.files, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
CREATE TRIGGER stored_files_deleted AFTER DELETE ON ar_content BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    SELECT company_id, storage_id, is_deleted, sum(files), sum(bytes) FROM (
      SELECT NULL AS company_id, NULL AS storage_id, NULL AS is_deleted, 0 AS files, 0 AS bytes UNION ALL VALUES
      (old.company_id, coalesce(old.image_storage_id, ''), old.removed_at IS NOT NULL, -(old.image_path IS NOT NULL), -old.image_bytes),
      (old.company_id, coalesce(old.thumbnail_storage_id, ''), old.removed_at IS NOT NULL, -(old.thumbnail_path IS NOT NULL), -iif(old.thumbnail_path IS NULL, 0, coalesce(old.thumbnail_bytes, 0))),
      (old.company_id, coalesce(old.marker_storage_id, ''), old.removed_at IS NOT NULL, -(old.marker_path IS NOT NULL), -iif(old.marker_path IS NULL, 0, coalesce(json_extract(old.marker_metadata, '$.bytes'), 0))),
      (old.company_id, coalesce(old.video_storage_id, ''), old.removed_at IS NOT NULL, -(old.video_path IS NOT NULL), -iif(old.video_path IS NULL, 0, coalesce(old.video_bytes, 0))),
      (old.company_id, coalesce(old.qr_code_storage_id, ''), old.removed_at IS NOT NULL, -(old.qr_code_path IS NOT NULL), -iif(old.qr_code_path IS NULL, 0, coalesce(old.qr_code_bytes, 0))))
    WHERE company_id IS NOT NULL GROUP BY 1, 2, 3 HAVING sum(files) <> 0 OR sum(bytes) <> 0
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + excluded.files, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
CREATE TRIGGER stored_files_updated AFTER UPDATE OF company_id, removed_at, image_storage_id, image_path, thumbnail_storage_id, thumbnail_path, marker_storage_id, marker_path, video_storage_id, video_path, qr_code_storage_id, qr_code_path, image_bytes, thumbnail_bytes, marker_metadata, video_bytes, qr_code_bytes ON ar_content BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    SELECT company_id, storage_id, is_deleted, sum(files), sum(bytes) FROM (
      SELECT NULL AS company_id, NULL AS storage_id, NULL AS is_deleted, 0 AS files, 0 AS bytes UNION ALL VALUES
      (old.company_id, coalesce(old.image_storage_id, ''), old.removed_at IS NOT NULL, -(old.image_path IS NOT NULL), -old.image_bytes),
      (old.company_id, coalesce(old.thumbnail_storage_id, ''), old.removed_at IS NOT NULL, -(old.thumbnail_path IS NOT NULL), -iif(old.thumbnail_path IS NULL, 0, coalesce(old.thumbnail_bytes, 0))),
      (old.company_id, coalesce(old.marker_storage_id, ''), old.removed_at IS NOT NULL, -(old.marker_path IS NOT NULL), -iif(old.marker_path IS NULL, 0, coalesce(json_extract(old.marker_metadata, '$.bytes'), 0))),
      (old.company_id, coalesce(old.video_storage_id, ''), old.removed_at IS NOT NULL, -(old.video_path IS NOT NULL), -iif(old.video_path IS NULL, 0, coalesce(old.video_bytes, 0))),
      (old.company_id, coalesce(old.qr_code_storage_id, ''), old.removed_at IS NOT NULL, -(old.qr_code_path IS NOT NULL), -iif(old.qr_code_path IS NULL, 0, coalesce(old.qr_code_bytes, 0))),
      (new.company_id, coalesce(new.image_storage_id, ''), new.removed_at IS NOT NULL, (new.image_path IS NOT NULL), new.image_bytes),
      (new.company_id, coalesce(new.thumbnail_storage_id, ''), new.removed_at IS NOT NULL, (new.thumbnail_path IS NOT NULL), iif(new.thumbnail_path IS NULL, 0, coalesce(new.thumbnail_bytes, 0))),
      (new.company_id, coalesce(new.marker_storage_id, ''), new.removed_at IS NOT NULL, (new.marker_path IS NOT NULL), iif(new.marker_path IS NULL, 0, coalesce(json_extract(new.marker_metadata, '$.bytes'), 0))),
      (new.company_id, coalesce(new.video_storage_id, ''), new.removed_at IS NOT NULL, (new.video_path IS NOT NULL), iif(new.video_path IS NULL, 0, coalesce(new.video_bytes, 0))),
      (new.company_id, coalesce(new.qr_code_storage_id, ''), new.removed_at IS NOT NULL, (new.qr_code_path IS NOT NULL), iif(new.qr_code_path IS NULL, 0, coalesce(new.qr_code_bytes, 0))))
    WHERE company_id IS NOT NULL GROUP BY 1, 2, 3 HAVING sum(files) <> 0 OR sum(bytes) <> 0
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + excluded.files, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
CREATE TRIGGER orphaned_files_counted AFTER INSERT ON orphaned_files WHEN new.is_reserved = 0 BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    VALUES (new.company_id, coalesce(new.storage_id, ''), 1, 1, coalesce(new.bytes, 0))
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
CREATE TRIGGER orphaned_files_uncounted AFTER DELETE ON orphaned_files WHEN old.is_reserved = 0 BEGIN
  UPDATE stored_files SET files = files - 1, bytes = bytes - coalesce(old.bytes, 0)
    WHERE company_id = old.company_id AND storage_id = coalesce(old.storage_id, '') AND is_deleted = 1;
END;
--> statement-breakpoint
CREATE TRIGGER orphaned_files_released AFTER UPDATE OF is_reserved ON orphaned_files WHEN old.is_reserved = 1 AND new.is_reserved = 0 BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    VALUES (new.company_id, coalesce(new.storage_id, ''), 1, 1, coalesce(new.bytes, 0))
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
CREATE TRIGGER stored_files_forgotten AFTER DELETE ON storage_connections BEGIN
  DELETE FROM stored_files WHERE company_id = old.company_id AND storage_id = old.id;
END;
--> statement-breakpoint
-- Deleted content no longer counts against the quotas, although its files are kept for a while.
DROP TRIGGER ar_content_uncounted;
--> statement-breakpoint
CREATE TRIGGER ar_content_uncounted AFTER DELETE ON ar_content WHEN old.removed_at IS NULL BEGIN
  UPDATE companies SET content_count = content_count - 1, content_bytes = content_bytes - (old.image_bytes + coalesce(old.video_bytes, 0) + coalesce(json_extract(old.marker_metadata, '$.bytes'), 0)) WHERE id = old.company_id;
END;
--> statement-breakpoint
DROP TRIGGER ar_content_measured;
--> statement-breakpoint
CREATE TRIGGER ar_content_measured AFTER UPDATE OF image_bytes, video_bytes, marker_metadata ON ar_content WHEN old.removed_at IS NULL AND new.removed_at IS NULL BEGIN
  UPDATE companies SET content_bytes = content_bytes + (new.image_bytes + coalesce(new.video_bytes, 0) + coalesce(json_extract(new.marker_metadata, '$.bytes'), 0)) - (old.image_bytes + coalesce(old.video_bytes, 0) + coalesce(json_extract(old.marker_metadata, '$.bytes'), 0)) WHERE id = new.company_id;
END;
--> statement-breakpoint
CREATE TRIGGER ar_content_removed AFTER UPDATE OF removed_at ON ar_content WHEN old.removed_at IS NULL AND new.removed_at IS NOT NULL BEGIN
  UPDATE companies SET content_count = content_count - 1, content_bytes = content_bytes - (old.image_bytes + coalesce(old.video_bytes, 0) + coalesce(json_extract(old.marker_metadata, '$.bytes'), 0)) WHERE id = old.company_id;
END;
--> statement-breakpoint
-- An operator can restore a deleted photo (docs/operations.md).
CREATE TRIGGER ar_content_restored AFTER UPDATE OF removed_at ON ar_content WHEN old.removed_at IS NOT NULL AND new.removed_at IS NULL BEGIN
  UPDATE companies SET content_count = content_count + 1, content_bytes = content_bytes + (new.image_bytes + coalesce(new.video_bytes, 0) + coalesce(json_extract(new.marker_metadata, '$.bytes'), 0)) WHERE id = new.company_id;
END;
--> statement-breakpoint
-- Deleted content is not searched.
CREATE TRIGGER content_search_removed AFTER UPDATE OF removed_at ON ar_content WHEN old.removed_at IS NULL AND new.removed_at IS NOT NULL BEGIN
  DELETE FROM content_search WHERE rowid = new.rowid;
END;
--> statement-breakpoint
CREATE TRIGGER content_search_restored AFTER UPDATE OF removed_at ON ar_content WHEN old.removed_at IS NOT NULL AND new.removed_at IS NULL BEGIN
  INSERT INTO content_search (rowid, company, text) VALUES (new.rowid, substr(new.company_id, 1, 8), new.search_text || char(10) || new.search_order);
END;
--> statement-breakpoint
-- The files of each storage migration by state.
INSERT INTO move_counts (migration_id, state, files, bytes)
  SELECT migration_id, state, count(*), coalesce(sum(bytes), 0) FROM file_moves GROUP BY 1, 2;
--> statement-breakpoint
CREATE TRIGGER move_counts_inserted AFTER INSERT ON file_moves BEGIN
  INSERT INTO move_counts (migration_id, state, files, bytes) VALUES (new.migration_id, new.state, 1, coalesce(new.bytes, 0))
    ON CONFLICT (migration_id, state) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
CREATE TRIGGER move_counts_updated AFTER UPDATE OF state, bytes ON file_moves BEGIN
  UPDATE move_counts SET files = files - 1, bytes = bytes - coalesce(old.bytes, 0)
    WHERE migration_id = old.migration_id AND state = old.state;
  INSERT INTO move_counts (migration_id, state, files, bytes) VALUES (new.migration_id, new.state, 1, coalesce(new.bytes, 0))
    ON CONFLICT (migration_id, state) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
CREATE TRIGGER move_counts_deleted AFTER DELETE ON file_moves BEGIN
  UPDATE move_counts SET files = files - 1, bytes = bytes - coalesce(old.bytes, 0)
    WHERE migration_id = old.migration_id AND state = old.state;
END;
