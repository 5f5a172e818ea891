from django.db import migrations, models
from django.db.models import F
from django.utils.timezone import now


def since_when(apps, schema_editor):
    """Nobody noted when a class that pauses began to: then it is from now."""
    workshops = apps.get_model('lab', 'Workshop').objects
    workshops.filter(paused=True).update(stopped=now())
    workshops.exclude(over=None).update(stopped=F('over'))


class Migration(migrations.Migration):

    dependencies = [
        ('lab', '0018_groups_of_an_assistant'),
    ]

    operations = [
        migrations.AddField(
            model_name='workshop',
            name='stopped',
            field=models.DateTimeField(
                help_text='since when it stands still, because it pauses or is over', null=True
            ),
        ),
        migrations.AddField(
            model_name='workshop',
            name='stood',
            field=models.JSONField(default=list, help_text='when it did before, as `workshops.stops` keeps it'),
        ),
        migrations.RunPython(since_when, migrations.RunPython.noop),
    ]
