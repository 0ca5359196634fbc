CREATE INDEX `ar_content_old_score` ON `ar_content` (`id`) WHERE marker_metadata IS NOT NULL AND json_extract(marker_metadata, '$.quality.player') IS NULL;
