from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lab', '0020_how_long_a_class_lasts'),
    ]

    operations = [
        migrations.AddField(
            model_name='workshop',
            name='pods',
            field=models.PositiveSmallIntegerField(default=100, help_text="the most in a learner's cluster"),
        ),
        migrations.AlterField(
            model_name='cluster',
            name='guard',
            field=models.TextField(
                blank=True,
                default='',
                help_text="of a stranger's: what `admission/guard.py` holds it to; else nobody holds it to anything",
            ),
        ),
    ]
