"""Replaces Mailing.part ("first-be", "unreached-2") by columns, and carries its values over."""

import newsletter.lib.languages
from django.db import migrations, models

AUDIENCES = {"all": "all", "welcome": "welcome", "first": "first_language",
             "unreached": "unreached", "again": "in_doubt"}
NAMES = {audience: name for name, audience in AUDIENCES.items()}


def split_parts(apps, schema_editor):
    Mailing = apps.get_model("delivery", "Mailing")
    for part in Mailing.objects.order_by().values_list("part", flat=True).distinct():
        name, _, rest = part.partition("-")
        audience = AUDIENCES[name]
        Mailing.objects.filter(part=part).update(
            audience=audience,
            language=rest if audience == "first_language" else "",
            number=int(rest) if audience in {"unreached", "in_doubt"} else 1,
        )


def join_parts(apps, schema_editor):
    Mailing = apps.get_model("delivery", "Mailing")
    columns = ("audience", "language", "number")
    for audience, language, number in Mailing.objects.order_by().values_list(*columns).distinct():
        rest = language or (str(number) if audience in {"unreached", "in_doubt"} else "")
        Mailing.objects.filter(audience=audience, language=language, number=number).update(
            part=f"{NAMES[audience]}-{rest}" if rest else NAMES[audience]
        )


class Migration(migrations.Migration):

    dependencies = [
        ('delivery', '0002_put_off_by'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='mailing',
            name='one_mailing_per_part',
        ),
        migrations.AddField(
            model_name='mailing',
            name='audience',
            field=models.CharField(choices=[('all', 'all readers'), ('first_language', 'one language first'), ('unreached', 'not reached'), ('in_doubt', 'in doubt'), ('welcome', 'new readers')], default='all', max_length=16, verbose_name='audience'),
        ),
        migrations.AddField(
            model_name='mailing',
            name='language',
            field=newsletter.lib.languages.LanguageField(blank=True, default='', max_length=12, validators=[newsletter.lib.languages.validate_language], verbose_name='language'),
        ),
        migrations.AddField(
            model_name='mailing',
            name='number',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.RunPython(split_parts, join_parts),
        migrations.RemoveField(
            model_name='mailing',
            name='part',
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.UniqueConstraint(fields=('release', 'audience', 'language', 'number'), name='one_mailing_per_audience'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('audience', 'first_language'), models.Q(('language', ''), _negated=True)), models.Q(models.Q(('audience', 'first_language'), _negated=True), ('language', '')), _connector='OR'), name='language_goes_with_first_language'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(('number', 1), models.Q(('number__gt', 1), ('audience__in', ['unreached', 'in_doubt'])), _connector='OR'), name='only_repeatable_audiences_are_numbered'),
        ),
    ]
