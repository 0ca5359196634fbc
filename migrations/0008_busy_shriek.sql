ALTER TABLE `ar_content` ADD `qr_code_storage_id` text REFERENCES storage_connections(id);--> statement-breakpoint
ALTER TABLE `ar_content` ADD `qr_code_path` text;