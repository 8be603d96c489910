from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def keep_the_date_alone(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A pause was a rhythm of its own, after which the issues of each week came."""
    subscriptions = apps.get_model("subscribers", "Subscription").objects
    subscriptions.filter(rhythm="paused").update(rhythm="weekly")


class Migration(migrations.Migration):

    dependencies = [
        ('editorial', '0001_initial'),
        ('subscribers', '0002_exports'),
    ]

    operations = [
        migrations.RunPython(keep_the_date_alone, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='subscription',
            name='rhythm',
            field=models.CharField(choices=[('weekly', 'every week'), ('monthly', 'a round-up each month')], default='weekly', max_length=8, verbose_name='rhythm'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('hour__lte', 23)), name='hour_is_of_a_day'),
        ),
    ]
