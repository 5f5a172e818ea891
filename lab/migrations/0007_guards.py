from django.db import migrations, models

OUR_IMAGES = 'orrery/* mine/*'


def guard_learners(apps, schema_editor):
    """Clusters that learners have already are held to what new ones are."""
    seats = apps.get_model('lab', 'Seat').objects.values('cluster')
    apps.get_model('lab', 'Cluster').objects.filter(name__in=seats).update(guard=OUR_IMAGES)


class Migration(migrations.Migration):

    dependencies = [
        ('lab', '0006_the_wall'),
    ]

    operations = [
        migrations.AddField(
            model_name='cluster',
            name='guard',
            field=models.TextField(blank=True, default='', help_text="of a stranger's: the images that may run in it, as patterns; else nobody holds it to anything"),
        ),
        migrations.AddField(
            model_name='workshop',
            name='images',
            field=models.TextField(default=OUR_IMAGES, help_text="that may run in its learners' clusters, as patterns"),
        ),
        migrations.RunPython(guard_learners, migrations.RunPython.noop),
    ]
