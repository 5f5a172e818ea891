from django.db import migrations, models

KEY = ["cluster", "resource", "namespace", "name"]


class Migration(migrations.Migration):
    dependencies = [("lab", "0003_keys_say_why_they_wait")]

    operations = [
        migrations.RemoveIndex("revision", "newest_of_key"),
        migrations.AddIndex("revision", models.Index(fields=[*KEY, "-revision", "deleted"], name="newest_of_key")),
    ]
