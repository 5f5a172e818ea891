from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lab', '0019_standing_still'),
    ]

    operations = [
        migrations.AddField(
            model_name='workshop',
            name='minutes',
            field=models.PositiveSmallIntegerField(
                help_text='how many it is meant to last from its beginning, if somebody has said so', null=True
            ),
        ),
    ]
