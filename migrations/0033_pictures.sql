ALTER TABLE `ar_content` ADD `picture_storage_id` text REFERENCES storage_connections(id);--> statement-breakpoint
ALTER TABLE `ar_content` ADD `picture_path` text;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `picture_url` text;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `picture_bytes` integer;--> statement-breakpoint
ALTER TABLE `ar_content` ADD `picture_failed_at` integer;--> statement-breakpoint
CREATE INDEX `ar_content_picture_storage_id` ON `ar_content` (`picture_storage_id`) WHERE picture_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ar_content_no_picture` ON `ar_content` (`id`) WHERE deleted_at IS NULL AND marker_status = 'ready' AND picture_path IS NULL AND picture_failed_at IS NULL;
--> statement-breakpoint
-- The triggers of migrations/0031_stored_files.sql, which count pictures, too.
DROP TRIGGER stored_files_inserted;
--> statement-breakpoint
CREATE TRIGGER stored_files_inserted AFTER INSERT ON ar_content BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    SELECT company_id, storage_id, is_deleted, sum(files), sum(bytes) FROM (
      SELECT NULL AS company_id, NULL AS storage_id, NULL AS is_deleted, 0 AS files, 0 AS bytes UNION ALL VALUES
      (new.company_id, coalesce(new.image_storage_id, ''), new.removed_at IS NOT NULL, (new.image_path IS NOT NULL), new.image_bytes),
      (new.company_id, coalesce(new.thumbnail_storage_id, ''), new.removed_at IS NOT NULL, (new.thumbnail_path IS NOT NULL), iif(new.thumbnail_path IS NULL, 0, coalesce(new.thumbnail_bytes, 0))),
      (new.company_id, coalesce(new.picture_storage_id, ''), new.removed_at IS NOT NULL, (new.picture_path IS NOT NULL), iif(new.picture_path IS NULL, 0, coalesce(new.picture_bytes, 0))),
      (new.company_id, coalesce(new.marker_storage_id, ''), new.removed_at IS NOT NULL, (new.marker_path IS NOT NULL), iif(new.marker_path IS NULL, 0, coalesce(json_extract(new.marker_metadata, '$.bytes'), 0))),
      (new.company_id, coalesce(new.video_storage_id, ''), new.removed_at IS NOT NULL, (new.video_path IS NOT NULL), iif(new.video_path IS NULL, 0, coalesce(new.video_bytes, 0))),
      (new.company_id, coalesce(new.qr_code_storage_id, ''), new.removed_at IS NOT NULL, (new.qr_code_path IS NOT NULL), iif(new.qr_code_path IS NULL, 0, coalesce(new.qr_code_bytes, 0))))
    WHERE company_id IS NOT NULL GROUP BY 1, 2, 3 HAVING sum(files) <> 0 OR sum(bytes) <> 0
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + excluded.files, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
DROP TRIGGER stored_files_deleted;
--> statement-breakpoint
CREATE TRIGGER stored_files_deleted AFTER DELETE ON ar_content BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    SELECT company_id, storage_id, is_deleted, sum(files), sum(bytes) FROM (
      SELECT NULL AS company_id, NULL AS storage_id, NULL AS is_deleted, 0 AS files, 0 AS bytes UNION ALL VALUES
      (old.company_id, coalesce(old.image_storage_id, ''), old.removed_at IS NOT NULL, -(old.image_path IS NOT NULL), -old.image_bytes),
      (old.company_id, coalesce(old.thumbnail_storage_id, ''), old.removed_at IS NOT NULL, -(old.thumbnail_path IS NOT NULL), -iif(old.thumbnail_path IS NULL, 0, coalesce(old.thumbnail_bytes, 0))),
      (old.company_id, coalesce(old.picture_storage_id, ''), old.removed_at IS NOT NULL, -(old.picture_path IS NOT NULL), -iif(old.picture_path IS NULL, 0, coalesce(old.picture_bytes, 0))),
      (old.company_id, coalesce(old.marker_storage_id, ''), old.removed_at IS NOT NULL, -(old.marker_path IS NOT NULL), -iif(old.marker_path IS NULL, 0, coalesce(json_extract(old.marker_metadata, '$.bytes'), 0))),
      (old.company_id, coalesce(old.video_storage_id, ''), old.removed_at IS NOT NULL, -(old.video_path IS NOT NULL), -iif(old.video_path IS NULL, 0, coalesce(old.video_bytes, 0))),
      (old.company_id, coalesce(old.qr_code_storage_id, ''), old.removed_at IS NOT NULL, -(old.qr_code_path IS NOT NULL), -iif(old.qr_code_path IS NULL, 0, coalesce(old.qr_code_bytes, 0))))
    WHERE company_id IS NOT NULL GROUP BY 1, 2, 3 HAVING sum(files) <> 0 OR sum(bytes) <> 0
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + excluded.files, bytes = bytes + excluded.bytes;
END;
--> statement-breakpoint
DROP TRIGGER stored_files_updated;
--> statement-breakpoint
CREATE TRIGGER stored_files_updated AFTER UPDATE OF company_id, removed_at, image_storage_id, image_path, thumbnail_storage_id, thumbnail_path, picture_storage_id, picture_path, marker_storage_id, marker_path, video_storage_id, video_path, qr_code_storage_id, qr_code_path, image_bytes, thumbnail_bytes, picture_bytes, marker_metadata, video_bytes, qr_code_bytes ON ar_content BEGIN
  INSERT INTO stored_files (company_id, storage_id, is_deleted, files, bytes)
    SELECT company_id, storage_id, is_deleted, sum(files), sum(bytes) FROM (
      SELECT NULL AS company_id, NULL AS storage_id, NULL AS is_deleted, 0 AS files, 0 AS bytes UNION ALL VALUES
      (old.company_id, coalesce(old.image_storage_id, ''), old.removed_at IS NOT NULL, -(old.image_path IS NOT NULL), -old.image_bytes),
      (old.company_id, coalesce(old.thumbnail_storage_id, ''), old.removed_at IS NOT NULL, -(old.thumbnail_path IS NOT NULL), -iif(old.thumbnail_path IS NULL, 0, coalesce(old.thumbnail_bytes, 0))),
      (old.company_id, coalesce(old.picture_storage_id, ''), old.removed_at IS NOT NULL, -(old.picture_path IS NOT NULL), -iif(old.picture_path IS NULL, 0, coalesce(old.picture_bytes, 0))),
      (old.company_id, coalesce(old.marker_storage_id, ''), old.removed_at IS NOT NULL, -(old.marker_path IS NOT NULL), -iif(old.marker_path IS NULL, 0, coalesce(json_extract(old.marker_metadata, '$.bytes'), 0))),
      (old.company_id, coalesce(old.video_storage_id, ''), old.removed_at IS NOT NULL, -(old.video_path IS NOT NULL), -iif(old.video_path IS NULL, 0, coalesce(old.video_bytes, 0))),
      (old.company_id, coalesce(old.qr_code_storage_id, ''), old.removed_at IS NOT NULL, -(old.qr_code_path IS NOT NULL), -iif(old.qr_code_path IS NULL, 0, coalesce(old.qr_code_bytes, 0))),
      (new.company_id, coalesce(new.image_storage_id, ''), new.removed_at IS NOT NULL, (new.image_path IS NOT NULL), new.image_bytes),
      (new.company_id, coalesce(new.thumbnail_storage_id, ''), new.removed_at IS NOT NULL, (new.thumbnail_path IS NOT NULL), iif(new.thumbnail_path IS NULL, 0, coalesce(new.thumbnail_bytes, 0))),
      (new.company_id, coalesce(new.picture_storage_id, ''), new.removed_at IS NOT NULL, (new.picture_path IS NOT NULL), iif(new.picture_path IS NULL, 0, coalesce(new.picture_bytes, 0))),
      (new.company_id, coalesce(new.marker_storage_id, ''), new.removed_at IS NOT NULL, (new.marker_path IS NOT NULL), iif(new.marker_path IS NULL, 0, coalesce(json_extract(new.marker_metadata, '$.bytes'), 0))),
      (new.company_id, coalesce(new.video_storage_id, ''), new.removed_at IS NOT NULL, (new.video_path IS NOT NULL), iif(new.video_path IS NULL, 0, coalesce(new.video_bytes, 0))),
      (new.company_id, coalesce(new.qr_code_storage_id, ''), new.removed_at IS NOT NULL, (new.qr_code_path IS NOT NULL), iif(new.qr_code_path IS NULL, 0, coalesce(new.qr_code_bytes, 0))))
    WHERE company_id IS NOT NULL GROUP BY 1, 2, 3 HAVING sum(files) <> 0 OR sum(bytes) <> 0
    ON CONFLICT (company_id, storage_id, is_deleted) DO UPDATE SET files = files + excluded.files, bytes = bytes + excluded.bytes;
END;
