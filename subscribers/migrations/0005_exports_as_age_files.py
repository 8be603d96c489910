from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def drop_requests(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A request for an export that was never made gave nobody a list."""
    apps.get_model("subscribers", "Export").objects.filter(made_at=None).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0004_letters_that_are_written'),
    ]

    operations = [
        migrations.RunPython(drop_requests, migrations.RunPython.noop),
        migrations.RemoveField(model_name='export', name='approved_by'),
        migrations.RemoveField(model_name='export', name='asked_at'),
        migrations.RemoveField(model_name='export', name='public_id'),
        migrations.RemoveField(model_name='export', name='signatures'),
        migrations.RemoveField(model_name='export', name='statement'),
        migrations.AddField(
            model_name='export',
            name='kind',
            field=models.CharField(choices=[('readers', 'readers and their addresses'), ('consents', 'evidence of consent, without addresses')], default='readers', max_length=10, verbose_name='content'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='export',
            name='recipients',
            field=models.CharField(blank=True, max_length=200, verbose_name='encrypted for'),
        ),
        migrations.AlterField(
            model_name='export',
            name='made_at',
            field=models.DateTimeField(auto_now_add=True, verbose_name='made'),
        ),
    ]
