"""Who changed what, when and why; the outbox of mails; what schedules did; what `apply` last applied."""
