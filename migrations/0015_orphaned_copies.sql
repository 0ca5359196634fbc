ALTER TABLE `file_moves` RENAME COLUMN "litter" TO "has_orphaned_copy";--> statement-breakpoint
DROP INDEX `file_moves_unfinished`;--> statement-breakpoint
CREATE INDEX `file_moves_unfinished` ON `file_moves` (`migration_id`) WHERE state = 'copying' OR has_orphaned_copy = 1;