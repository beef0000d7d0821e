"""A letter of sign-in is a row of the outbox, which counts the tries and keeps the error.

Letters that were tried before keep what became of them: each gets a row without words. What waits is written into the
outbox by the next run.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

FORWARD = """
INSERT INTO messaging_notification
    (key, thread, recipient_id, channel, address, subject, body, html, created_at, content, status, attempts, sent_at,
     error, bundle)
    SELECT 'letter-' || id, '', person_id, 'email', email, '', '', '', asked_at, '',
        CASE WHEN sent_at IS NULL THEN 'failed' ELSE 'sent' END, tries, sent_at, error, ''
    FROM accounts_letter WHERE due_at IS NULL AND tries > 0 AND person_id IS NOT NULL ORDER BY id;
UPDATE accounts_letter l SET notification_id = n.id FROM messaging_notification n WHERE n.key = 'letter-' || l.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""
# What became of each letter stands in the letter again, and what still waits is tried by the version before
BACKWARD = """
UPDATE accounts_letter l SET tries = n.attempts, sent_at = n.sent_at, error = left(n.error, 300),
    due_at = CASE WHEN n.status = 'queued' THEN l.asked_at END
FROM messaging_notification n WHERE n.id = l.notification_id;
UPDATE accounts_letter SET notification_id = NULL;
SET CONSTRAINTS ALL IMMEDIATE;
DELETE FROM messaging_notification WHERE key LIKE 'letter-%';
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_on_call"),
        ("incidents", "0020_notices"),
        ("messaging", "0002_notification"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="letter", name="letters_due"),
        migrations.RenameField(model_name="letter", old_name="next_try_at", new_name="due_at"),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(fields=["due_at"], name="letters_due", condition=Q(due_at__isnull=False)),
        ),
        migrations.AddField(
            model_name="letter",
            name="notification",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="letter",
                to="messaging.notification",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(model_name="letter", name="tries"),
        migrations.RemoveField(model_name="letter", name="sent_at"),
        migrations.RemoveField(model_name="letter", name="error"),
    ]
