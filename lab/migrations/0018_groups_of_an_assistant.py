from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lab', '0017_waiting'),
    ]

    operations = [
        migrations.RenameField(model_name='role', old_name='group', new_name='groups'),
        migrations.AlterField(
            model_name='role',
            name='groups',
            field=models.CharField(blank=True, help_text='the letters of those that an assistant helps', max_length=8),
        ),
    ]
